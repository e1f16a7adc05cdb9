//! JSON Schemas of the program's input and output.
//!
//! Fields are only ever added, so a document may have more than a schema knows; debug builds ensure that every field
//! printed by this version is described ([`check`]).
//!
//! The files beside this one leave out what goes without saying: what has `properties` is an object that requires all of
//! them but the `optional` ones, and every document begins with its `format` and `kind`.

mod check;
mod plan;

use serde_json::{Map, Value, json};

/// What to describe there are schemas: the plan, and every kind of document.
pub const NAMES: [&str; 11] =
    ["plan", "preview", "events", "status", "verify", "report", "merge", "init", "capture", "package", "error"];

const DEFINITIONS: &str = include_str!("definitions.json");

fn text(name: &str) -> Option<&'static str> {
    Some(match name {
        "preview" => include_str!("preview.json"),
        "events" => include_str!("events.json"),
        "status" => include_str!("status.json"),
        "verify" => include_str!("verify.json"),
        "report" => include_str!("report.json"),
        "merge" => include_str!("merge.json"),
        "init" => include_str!("init.json"),
        "capture" => include_str!("capture.json"),
        "package" => include_str!("package.json"),
        "error" => include_str!("error.json"),
        _ => return None,
    })
}

/// The self-contained schema with a name; `None` for a name that is not in [`NAMES`].
pub fn of(name: &str) -> Option<Value> {
    let mut schema = match name {
        "plan" => plan::schema(),
        _ => {
            let mut schema = serde_json::from_str(text(name)?).ok()?;
            begin(&mut schema, name);
            complete(&mut schema);
            schema
        }
    };
    let mut all: Map<String, Value> = serde_json::from_str(DEFINITIONS).ok()?;
    all.values_mut().for_each(complete);
    let mut used = Map::new();
    collect(&schema, &all, &mut used);
    let fields = schema.as_object_mut()?;
    fields.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    fields.insert("title".to_owned(), json!(format!("pfupgrade {name}")));
    if !used.is_empty() {
        fields.insert("$defs".to_owned(), Value::Object(used));
    }
    Some(schema)
}

/// Adds the `format` and `kind` of a document; of the events only the first has them.
fn begin(schema: &mut Value, name: &str) {
    let add = |schema: &mut Value, field: &str, description: &str, value: Value, is_optional: bool| {
        let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
        if properties.contains_key(field) {
            return;
        }
        properties.insert(field.to_owned(), json!({ "const": value, "description": description }));
        if is_optional {
            let optional = schema["optional"].as_array().into_iter().flatten().cloned().chain([json!(field)]);
            schema["optional"] = optional.collect();
        }
    };
    match schema.get_mut("oneOf") {
        Some(Value::Array(events)) => {
            for event in events {
                add(event, "format", "version of the events; on the first line", json!(1), true);
                add(event, "kind", "on the first line", json!(name), true);
            }
        }
        _ => {
            add(schema, "format", "version of this document", json!(1), false);
            add(schema, "kind", "what this document is", json!(name), false);
        }
    }
}

/// Adds what goes without saying.
fn complete(schema: &mut Value) {
    match schema {
        Value::Array(all) => all.iter_mut().for_each(complete),
        Value::Object(fields) => {
            let optional = fields.remove("optional").unwrap_or_default();
            let is_optional = |name: &&String| optional.as_array().is_some_and(|all| all.iter().any(|it| it == *name));
            if let Some(Value::Object(properties)) = fields.get_mut("properties") {
                properties.values_mut().for_each(complete);
                let required: Vec<&String> = properties.keys().filter(|name| !is_optional(name)).collect();
                let required = json!(required);
                fields.insert("required".to_owned(), required);
                fields.insert("type".to_owned(), json!("object"));
            }
            fields.iter_mut().filter(|(name, _)| *name != "properties").for_each(|(_, inner)| complete(inner));
        }
        _ => {}
    }
}

/// The definitions that a schema refers to, directly or indirectly.
fn collect(schema: &Value, all: &Map<String, Value>, used: &mut Map<String, Value>) {
    match schema {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str).and_then(|link| link.strip_prefix("#/$defs/"));
            if let Some((name, definition)) = name.and_then(|name| all.get_key_value(name))
                && !used.contains_key(name)
            {
                used.insert(name.clone(), definition.clone());
                collect(definition, all, used);
            }
            fields.values().for_each(|inner| collect(inner, all, used));
        }
        Value::Array(items) => items.iter().for_each(|inner| collect(inner, all, used)),
        _ => {}
    }
}

/// The name of the schema of a printed document or event.
pub fn name_of(document: &Value) -> &str {
    match document.get("event") {
        Some(_) => "events",
        None => document.get("kind").and_then(Value::as_str).unwrap_or_default(),
    }
}

/// Fails if a value does not match a schema, or has an unknown field.
pub fn check(name: &str, value: &Value) -> Result<(), String> {
    let schema = of(name).ok_or_else(|| format!("there is no schema `{name}`"))?;
    check::against(&schema, value)
}

#[cfg(test)]
mod tests;
