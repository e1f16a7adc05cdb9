//! Validates a value against a schema, as far as the schemas of this program require.

use serde_json::{Map, Value};

/// Fails with the path if a value does not match a schema.
pub(super) fn against(root: &Value, value: &Value) -> Result<(), String> {
    Check { root }.value(root, value, "$")
}

struct Check<'a> {
    root: &'a Value,
}

impl Check<'_> {
    fn value(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        let Some(schema) = schema.as_object() else { return Ok(()) };
        if let Some(link) = schema.get("$ref").and_then(Value::as_str) {
            let definition = self.root.pointer(link.trim_start_matches('#'));
            return self.value(definition.ok_or_else(|| format!("{at}: {link} is not defined"))?, value, at);
        }
        if let Some(wanted) = schema.get("const").filter(|wanted| *wanted != value) {
            return Err(format!("{at}: {value} is not {wanted}"));
        }
        if let Some(Value::Array(all)) = schema.get("enum")
            && !all.contains(value)
        {
            return Err(format!("{at}: {value} is none of {}", Value::Array(all.clone())));
        }
        if let Some(kind) = schema.get("type").filter(|kind| !is_of(kind, value)) {
            return Err(format!("{at}: {value} is not of the type {kind}"));
        }
        if let Some(least) = schema.get("minimum").and_then(Value::as_i64)
            && value.as_i64().is_some_and(|number| number < least)
        {
            return Err(format!("{at}: {value} is less than {least}"));
        }
        for choice in ["oneOf", "anyOf"] {
            if let Some(Value::Array(all)) = schema.get(choice) {
                self.one(all, value, at)?;
            }
        }
        if let (Some(items), Value::Array(values)) = (schema.get("items"), value) {
            let mut values = values.iter().enumerate();
            values.try_for_each(|(number, value)| self.value(items, value, &format!("{at}[{number}]")))?;
        }
        match value {
            Value::Object(fields)
                if schema.contains_key("properties") || schema.contains_key("additionalProperties") =>
            {
                self.fields(schema, fields, at)
            }
            _ => Ok(()),
        }
    }

    /// Validates against the first matching schema. Fails with the error of the most likely one.
    fn one(&self, all: &[Value], value: &Value, at: &str) -> Result<(), String> {
        let is_meant = |schema: &&Value| {
            let event = schema.pointer("/properties/event/const");
            event.is_some() && event == value.get("event")
        };
        let meant = all.iter().find(is_meant);
        let tried = meant.map_or(all, std::slice::from_ref);
        let mut why = format!("{at}: no schema for it");
        for schema in tried {
            match self.value(schema, value, at) {
                Ok(()) => return Ok(()),
                Err(reason) => why = reason,
            }
        }
        Err(why)
    }

    fn fields(&self, schema: &Map<String, Value>, fields: &Map<String, Value>, at: &str) -> Result<(), String> {
        let known = schema.get("properties").and_then(Value::as_object);
        let other = schema.get("additionalProperties").filter(|other| other.is_object());
        for (name, value) in fields {
            let at = format!("{at}.{name}");
            match known.and_then(|known| known.get(name)).or(other) {
                Some(schema) => self.value(schema, value, &at)?,
                None => return Err(format!("{at} is not described")),
            }
        }
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        match required.filter_map(Value::as_str).find(|name| !fields.contains_key(*name)) {
            Some(missing) => Err(format!("{at}.{missing} is missing")),
            None => Ok(()),
        }
    }
}

fn is_of(kind: &Value, value: &Value) -> bool {
    match kind {
        Value::Array(kinds) => kinds.iter().any(|kind| is_of(kind, value)),
        kind => match kind.as_str().unwrap_or_default() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "boolean" => value.is_boolean(),
            "null" => value.is_null(),
            _ => false,
        },
    }
}
