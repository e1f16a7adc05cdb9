//! `schema`: what it prints describes plans, and everything that the other commands print. That the latter is so is seen
//! to by the program itself, which as a build for tests prints nothing that its schema does not describe.

use crate::support::runs::program;

use pfupgrade::report::schema;
use serde_json::Value;
use std::fs;
use std::path::Path;

const HOUSE: &str = env!("CARGO_MANIFEST_DIR");

fn as_json(plan: &str) -> Value {
    let table: toml::Table = plan.parse().unwrap_or_else(|error| panic!("{error}\n{plan}"));
    serde_json::to_value(table).unwrap()
}

#[test]
fn every_plan_of_this_house_is_as_the_schema_says() {
    let plans = fs::read_dir(Path::new(HOUSE).join("plans")).unwrap().map(|entry| entry.unwrap().path());
    let plans = plans.filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    let mut plans: Vec<String> = plans.map(|path| fs::read_to_string(path).unwrap()).collect();
    let readme = fs::read_to_string(Path::new(HOUSE).join("README.md")).unwrap();
    plans.extend(readme.split("\n```toml\n").skip(1).map(|rest| rest.split("\n```").next().unwrap().to_owned()));
    assert!(plans.len() >= 5, "only {} plans", plans.len());
    for plan in plans {
        schema::check("plan", &as_json(&plan)).unwrap_or_else(|why| panic!("{why}\n{plan}"));
        // What stands there to be taken is good as well.
        let taken = plan.lines().map(|line| match line.strip_prefix("# ") {
            Some(line) if line.starts_with('[') || line.contains(" = ") && !line.contains("...") => line,
            _ => line,
        });
        let taken: Vec<&str> = taken.collect();
        if let Ok(table) = taken.join("\n").parse::<toml::Table>() {
            schema::check("plan", &serde_json::to_value(table).unwrap()).unwrap();
        }
    }
}

#[test]
fn a_wrong_plan_is_not() {
    for (plan, why) in [
        ("", "$.format is missing"),
        ("format = 2", "$.format: 2 is not 1"),
        ("format = 1\n[servre]\n", "$.servre is not described"),
        ("format = 1\n[portal]\nurl = \"x\"", "$.portal.url is not described"),
        ("format = 1\n[server]\naction = \"remove\"", "$.server.action: \"remove\" is none of"),
        ("format = 1\n[server]\narguments = \"/quiet\"", "$.server.arguments: \"/quiet\" is not of the type"),
        ("format = 1\n[gates]\nactivation = {}", "$.gates.activation.skip is missing"),
        ("format = 1\n[[hook]]\nbefore = \"verify\"", "$.hook[0].run is missing"),
        ("format = 1\n[portal]\nsigned-by = true", "$.portal.signed-by: true is not false"),
    ] {
        let found = schema::check("plan", &as_json(plan)).unwrap_err();
        assert!(found.starts_with(why), "{plan}\n{found}");
    }
}

#[test]
fn schemas_are_printed() {
    let place = tempfile::tempdir().unwrap();
    for name in schema::NAMES {
        let ran = program(place.path()).says(&format!("schema {name}")).ends_with(0);
        let printed: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(printed["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(Some(printed), schema::of(name));
        assert_eq!(ran.err, "");
    }
    let plan = program(place.path()).says("schema").ends_with(0).out;
    assert_eq!(plan, program(place.path()).says("schema plan").ends_with(0).out);
    program(place.path()).says("schema nothing").ends_with(2).says("possible values: plan, preview, events, status");
}

#[test]
fn fields_that_are_not_described_would_be_noticed() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("pfupgrade.toml"), "format = 1\n").unwrap();
    let preview = program(place.path()).says("plan --simulate --json").ends_with(4).json().remove(0);
    assert_eq!(schema::check("preview", &preview), Ok(()));
    let mut more = preview.clone();
    more["steps"][0]["surprise"] = Value::Null;
    assert_eq!(schema::check("preview", &more), Err("$.steps[0].surprise is not described".to_owned()));
    let mut less = preview;
    less["steps"][0].as_object_mut().unwrap().remove("reason");
    assert_eq!(schema::check("preview", &less), Err("$.steps[0].reason is missing".to_owned()));
}
