//! The schema of the plan file, generated from the table of its keys.

use crate::plan::{KEYS, KeyDoc};
use serde_json::{Map, Value, json};

/// Required keys, with their tables.
const REQUIRED: [(&str, &str); 8] = [
    ("", "format"),
    ("hook", "run"),
    ("merge.decision", "path"),
    ("merge.decision", "take"),
    ("gates.server-setup", "skip"),
    ("gates.activation", "skip"),
    ("gates.portal-url", "skip"),
    ("gates.mobile-app-url", "skip"),
];

/// The schema of a plan, represented in JSON.
pub(super) fn schema() -> Value {
    let mut schema = table("");
    schema["description"] = json!("A plan: the desired state of a machine, in TOML.");
    schema
}

/// The schema of a table, with the tables in it.
fn table(name: &str) -> Value {
    let mut properties = Map::new();
    for doc in KEYS.iter().filter(|doc| doc.tables.contains(&name)) {
        properties.insert(doc.key.to_owned(), key(name, doc));
    }
    let required: Vec<&str> = REQUIRED.iter().filter(|(table, _)| *table == name).map(|(_, key)| *key).collect();
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    if name == "hook" {
        schema["oneOf"] = json!([{ "required": ["before"] }, { "required": ["after"] }]);
    }
    schema
}

fn key(within: &str, doc: &KeyDoc) -> Value {
    let path = if within.is_empty() { doc.key.to_owned() } else { format!("{within}.{}", doc.key) };
    let text = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    let mut schema = match doc.kind {
        "a whole number" => json!({ "const": 1 }),
        "a table" | "{ skip = \"reason\" }" => table(&path),
        "an array of tables" => json!({ "type": "array", "items": table(&path) }),
        "an array of texts" | "an array of ids" => json!({ "type": "array", "items": { "type": "string" } }),
        "a table of texts" => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        "text or false" => json!({ "anyOf": [{ "type": "string" }, { "const": false }] }),
        "64 hexadecimal digits" => text("^[0-9A-Fa-f]{64}$"),
        "a GUID in braces" => text(r"^\{[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}$"),
        "a duration" => text("^([0-9]+h)?([0-9]+m)?([0-9]+s)?$"),
        "one plain name" => text("^[A-Za-z0-9_~-]([A-Za-z0-9._~-]*[A-Za-z0-9_~-])?$"),
        "a URL" => text("^[Hh][Tt][Tt][Pp][Ss]?://"),
        "text" if !doc.values.is_empty() => json!({ "enum": doc.values }),
        // Texts, paths and ids of steps.
        _ => json!({ "type": "string" }),
    };
    schema["description"] = json!(doc.meaning);
    if let Some(default) = default(doc) {
        schema["default"] = default;
    }
    schema
}

fn default(doc: &KeyDoc) -> Option<Value> {
    let table: toml::Table = format!("value = {}", doc.default).parse().ok()?;
    serde_json::to_value(table.get("value")?).ok()
}
