use super::*;
use crate::plan::KEYS;

#[test]
fn every_schema_is_complete_in_itself() {
    for name in NAMES {
        let schema = of(name).expect(name);
        let text = schema.to_string();
        for link in text.split("\"$ref\":\"#").skip(1) {
            let link = link.split('"').next().expect("a string ends");
            assert!(schema.pointer(link).is_some(), "{name}: {link}");
        }
        assert!(text.is_ascii(), "{name}");
    }
    assert_eq!(of("elsewhere"), None);
}

#[test]
fn every_key_of_a_plan_is_described() {
    let schema = of("plan").expect("a schema");
    for path in KEYS.iter().flat_map(|doc| doc.paths()) {
        let at = path.replace('.', "/properties/");
        let at = ["hook", "decision"]
            .iter()
            .fold(at, |at, list| at.replacen(&format!("{list}/properties"), &format!("{list}/items/properties"), 1));
        let found = schema.pointer(&format!("/properties/{at}"));
        assert!(found.is_some_and(|found| found["description"].is_string()), "{path}");
    }
    assert_eq!(schema["properties"]["server"]["properties"]["action"]["default"], "auto");
}

#[test]
fn what_is_not_as_described_is_told_with_its_place() {
    let end = json!({ "event": "end", "exit_code": 0, "next": "", "or": "" });
    assert_eq!(check("events", &end), Ok(()));
    for (change, why) in [
        (json!({ "event": "end", "exit_code": 0, "next": "" }), "$.or is missing"),
        (json!({ "event": "end", "exit_code": -1, "next": "", "or": "" }), "$.exit_code: -1 is less than 0"),
        (json!({ "event": "end", "exit_code": 0, "next": "", "or": "", "new": 1 }), "$.new is not described"),
        (json!({ "event": "end", "exit_code": 0, "next": 1, "or": "" }), "$.next: 1 is not of the type \"string\""),
        (json!({ "event": "never" }), "$.event is not described"),
    ] {
        assert_eq!(check("events", &change), Err(why.to_owned()));
    }
}
