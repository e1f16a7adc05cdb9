//! Sections in files of their own.

use super::samples::{NEW, SHIPPED};
use super::*;

const CONNECTIONS: &str = "<?xml version=\"1.0\"?>\r\n<!-- by hand -->\r\n<connectionStrings>\r\n  \
     <add name=\"Own\" connectionString=\"Server=db;Password=geheim\" />\r\n</connectionStrings>\r\n";

fn read(file: &str) -> Result<Option<Vec<u8>>, String> {
    Ok(match file {
        r"config\connections.config" => Some(CONNECTIONS.into()),
        "own.config" => Some(b"<appSettings><add key=\"OWN\" value=\"1\" /></appSettings>".to_vec()),
        "broken.config" => Some(b"<connectionStrings>".to_vec()),
        "other.config" => Some(b"<appSettings />".to_vec()),
        _ => None,
    })
}

/// Merges `old`, which was [`SHIPPED`] once, into [`NEW`]: the result, the files beside it, and the account.
fn gathered(old: &str, new: &str) -> (String, Vec<OutsideFile>, Vec<Change>) {
    let [old, base, new] = [old, SHIPPED, new].map(parsed);
    let whole = Gathered::of(&old, Some(&base), Some(&new), &read).expect("gathered");
    let sources = Sources { old: &whole.document, base: Some(&base), new: &new };
    let merged = merge(&sources, &keep()).expect("merged");
    let (merged, files) = whole.separate(merged).expect("separated");
    check(merged.document.bytes(), "merged").expect("sound");
    (String::from_utf8(merged.document.bytes().to_vec()).expect("UTF-8"), files, merged.changes)
}

#[test]
fn a_section_in_a_file_of_its_own_stays_there_byte_for_byte() {
    let old =
        SHIPPED.replace("<connectionStrings />", r#"<connectionStrings configSource="config\connections.config" />"#);
    let (text, files, changes) = gathered(&old, NEW);
    assert!(text.contains(r#"<connectionStrings configSource="config\connections.config" />"#), "{text}");
    assert!(!text.contains("Own"), "{text}");
    let file = r"config\connections.config".to_owned();
    assert_eq!(files, [OutsideFile { file, bytes: CONNECTIONS.into() }]);
    assert_eq!(*fate(&changes, "connectionStrings/@configSource"), Fate::Carried);
    assert!(changes.iter().all(|change| !format!("{change:?}").contains("geheim")));
    // All else is as without it.
    let (plain, ..) = gathered(SHIPPED, NEW);
    assert_eq!(text.replace(r#" configSource="config\connections.config""#, ""), plain);
}

#[test]
fn what_the_new_version_adds_to_such_a_section_comes_into_the_file() {
    let old =
        SHIPPED.replace("<connectionStrings />", r#"<connectionStrings configSource="config\connections.config" />"#);
    let new = NEW.replace(
        "<connectionStrings />",
        "<connectionStrings>\n    <add name=\"Vendor\" connectionString=\"x\" />\n  </connectionStrings>",
    );
    let (text, files, _) = gathered(&old, &new);
    assert!(!text.contains("Vendor"), "{text}");
    let file = String::from_utf8(files[0].bytes.clone()).expect("UTF-8");
    assert!(file.starts_with("<?xml version=\"1.0\"?>\r\n<!-- by hand -->\r\n<connectionStrings>"), "{file}");
    assert!(file.contains("name=\"Own\" connectionString=\"Server=db;Password=geheim\"") && file.contains("Vendor"));
}

#[test]
fn a_file_that_adds_to_the_settings_is_taken_along() {
    let old = SHIPPED.replace("<appSettings>", r#"<appSettings file="own.config">"#);
    let (text, files, changes) = gathered(&old, NEW);
    assert!(text.contains(r#"<appSettings file="own.config">"#), "{text}");
    assert_eq!(files.len(), 1);
    assert_eq!(*fate(&changes, "appSettings/@file"), Fate::Carried);
}

#[test]
fn what_cannot_be_taken_along_is_left() {
    let section = |file: &str| {
        let reference = format!(r#"<connectionStrings configSource="{file}" />"#);
        SHIPPED.replace("<connectionStrings />", &reference)
    };
    for file in ["missing.config", r"..\config.config", r"C:\config.config", r"config\..\..\a.config", "/a.config"] {
        let old = parsed(section(file));
        let left = Gathered::of(&old, None, None, &read).expect("gathered").left;
        assert_eq!(left.iter().map(|left| left.file.as_str()).collect::<Vec<_>>(), [file]);
        assert!(gathered(&section(file), NEW).1.is_empty());
    }
    // The new version has a file of its own there.
    let new = NEW.replace("<connectionStrings />", r#"<connectionStrings configSource="vendor.config" />"#);
    let (text, files, _) = gathered(&section(r"config\connections.config"), &new);
    assert!(files.is_empty() && text.contains("vendor.config"), "{text}");
    for (file, why) in [("broken.config", "not well-formed"), ("other.config", "it holds <appSettings>")] {
        let old = parsed(section(file));
        let error = Gathered::of(&old, None, None, &read).expect_err("refused").to_string();
        assert!(error.contains(file) && error.contains(why), "{error}");
    }
}

#[test]
fn a_file_of_one_location_goes_along_with_what_refers_to_it() {
    let location = "<location path=\"admin\">\n    <connectionStrings configSource=\"config\\connections.config\" />\n  </location>\n</configuration>";
    let (text, files, _) = gathered(&SHIPPED.replace("</configuration>", location), NEW);
    assert!(text.contains(r#"<connectionStrings configSource="config\connections.config" />"#), "{text}");
    assert_eq!(files.len(), 1);
}
