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

/// A file beside a web.config: its path, and its content.
type Beside<'a> = &'a [(&'a str, &'a str)];

/// Merges what is `(old, base, new)`, each with the files beside it: the result, the files to be written, the account.
fn together(files: [(&str, Beside<'_>); 3]) -> (String, Vec<(String, String)>, Vec<Change>) {
    let [old, base, new] = files.map(|(text, _)| parsed(text));
    let find = |beside: Beside<'_>, file: &str| {
        let found = beside.iter().find(|(name, _)| *name == file);
        Ok::<_, String>(found.map(|(_, text)| text.as_bytes().to_vec()))
    };
    let [of_old, of_base, of_new] = files.map(|(_, beside)| move |file: &str| find(beside, file));
    let all = Together::of((&old, &of_old), Some((&base, &of_base)), Some((&new, &of_new))).expect("gathered");
    let merged = merge(&all.sources().expect("all three"), &keep()).expect("merged");
    let (merged, written) = all.separate(merged).expect("separated");
    check(merged.document.bytes(), "merged").expect("sound");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    let written = written.into_iter().map(|it| (it.outside.file, text(&it.bytes))).collect();
    (text(merged.document.bytes()), written, merged.changes)
}

/// Merges `old`, which was [`SHIPPED`] once, into [`NEW`]: the result, the files beside it, and the account.
fn gathered(old: &str, new: &str) -> (String, Vec<OutsideFile>, Vec<Change>) {
    let [old, base, new] = [old, SHIPPED, new].map(parsed);
    let none = |_: &str| Ok(None);
    let whole = Together::of((&old, &read), Some((&base, &none)), Some((&new, &none))).expect("gathered");
    let merged = merge(&whole.sources().expect("all three"), &keep()).expect("merged");
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
    let [file] = &files[..] else { panic!("{files:?}") };
    assert_eq!((file.outside.file.as_str(), &file.bytes[..]), (r"config\connections.config", CONNECTIONS.as_bytes()));
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
        let left = Gathered::of(&old, &read).expect("gathered").left;
        assert_eq!(left.iter().map(|left| left.file.as_str()).collect::<Vec<_>>(), [file]);
        assert!(gathered(&section(file), NEW).1.is_empty());
    }
    // The new version has a file of its own there.
    let new = NEW.replace("<connectionStrings />", r#"<connectionStrings configSource="vendor.config" />"#);
    let (text, files, _) = gathered(&section(r"config\connections.config"), &new);
    assert!(files.is_empty() && text.contains("vendor.config"), "{text}");
    for (file, why) in [("broken.config", "not well-formed"), ("other.config", "it holds <appSettings>")] {
        let old = parsed(section(file));
        let error = Gathered::of(&old, &read).expect_err("refused").to_string();
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

const REFERENCE: &str = r#"<connectionStrings configSource="db.config" />"#;

/// A web.config with something in the place of its connection strings.
fn with_connections(markup: &str) -> String {
    SHIPPED.replace("<connectionStrings />", markup)
}

fn connections(all: &[(&str, &str)]) -> String {
    let item = |(name, value): &(&str, &str)| format!("  <add name=\"{name}\" connectionString=\"{value}\" />\r\n");
    format!("<connectionStrings>\r\n{}</connectionStrings>\r\n", all.iter().map(item).collect::<String>())
}

#[test]
fn a_file_that_all_versions_have_is_merged_by_meaning() {
    let config = with_connections(REFERENCE);
    let [old, base, new] = [
        connections(&[("A", "own"), ("B", "b")]),
        connections(&[("A", "a"), ("B", "b")]),
        connections(&[("A", "a"), ("B", "b"), ("C", "c")]),
    ];
    let merged = |old: &str, base: &str, new: &str| {
        let files = [old, base, new].map(|text| [("db.config", text.to_owned())]);
        let beside = files.each_ref().map(|[(name, text)]| [(*name, text.as_str())]);
        let [old, base, new] = &beside;
        together([(&config, old), (&config, base), (&config, new)])
    };
    let (text, files, changes) = merged(&old, &base, &new);
    assert_eq!(text, config, "the web.config itself is the new version's");
    let expected = connections(&[("A", "own"), ("B", "b"), ("C", "c")]);
    assert_eq!(files, [("db.config".to_owned(), expected)]);
    assert_eq!(*fate(&changes, "connectionStrings/add[A]/@connectionString"), Fate::Carried);
    assert_eq!(changes.len(), 1, "{changes:#?}");
    // What nobody changed is not written.
    let (text, files, changes) = merged(&base, &base, &new);
    assert!((text.as_str(), files.is_empty(), changes.is_empty()) == (&config, true, true), "{changes:#?}");
    // What both changed is in conflict there as well.
    let theirs = connections(&[("A", "theirs"), ("B", "b")]);
    let (_, files, changes) = merged(&old, &base, &theirs);
    assert!(files.is_empty() && changes.len() == 1 && changes[0].is_undecided(), "{changes:#?}");
}

#[test]
fn a_section_is_where_the_new_version_has_it() {
    let (a, own) = (connections(&[("A", "a")]), connections(&[("A", "own")]));
    let (inline, own_inline) = (with_connections(a.trim_end()), with_connections(own.trim_end()));
    let config = with_connections(REFERENCE);
    let renamed = with_connections(r#"<connectionStrings configSource="other.config" />"#);
    let told = |changes: &[Change]| changes.iter().filter(|it| it.path == "connectionStrings/@configSource").count();
    // The new version moves it out.
    let (text, files, changes) = together([(&own_inline, &[]), (&inline, &[]), (&config, &[("db.config", &a)])]);
    assert_eq!((text, files, told(&changes)), (config.clone(), vec![("db.config".to_owned(), own.clone())], 0));
    // The new version takes it back in.
    let (text, files, changes) =
        together([(&config, &[("db.config", &own)]), (&config, &[("db.config", &a)]), (&inline, &[])]);
    assert_eq!((text, files, told(&changes)), (own_inline.clone(), vec![], 0));
    // The administrator has taken it back in, and changed it.
    let shipped = [("db.config", a.as_str())];
    let (text, files, changes) = together([(&own_inline, &[]), (&config, &shipped), (&config, &shipped)]);
    assert_eq!((text, files), (config.clone(), vec![("db.config".to_owned(), own.clone())]));
    assert!(is_superseded(&changes, "connectionStrings/@configSource"));
    // Both have moved it out, to different files.
    let (text, files, changes) =
        together([(&renamed, &[("other.config", &own)]), (&inline, &[]), (&config, &[("db.config", &a)])]);
    assert_eq!((text, files), (config.clone(), vec![("db.config".to_owned(), own.clone())]));
    assert!(is_superseded(&changes, "connectionStrings/@configSource"));
    // Both have moved it out, to the same file.
    let (_, _, changes) =
        together([(&config, &[("db.config", &own)]), (&inline, &[]), (&config, &[("db.config", &a)])]);
    assert_eq!(*fate(&changes, "connectionStrings/@configSource"), Fate::AlreadySo);
}

#[test]
fn a_file_that_only_adds_goes_by_as_a_whole() {
    let config = SHIPPED.replace("<appSettings>", r#"<appSettings file="own.config">"#);
    let keys = |value: &str| format!("<appSettings><add key=\"OWN\" value=\"{value}\" /></appSettings>");
    let [a, own, theirs] = ["a", "own", "theirs"].map(keys);
    let path = "appSettings/@file";
    let merged = |old: &str, base: Option<&str>, new: Option<&str>| {
        let [old, base, new] = [Some(old), base, new].map(|it| it.map(|text| ("own.config", text)));
        let [old, base, new] = [&old, &base, &new].map(|it| it.as_slice());
        let (text, files, changes) = together([(&config, old), (&config, base), (&config, new)]);
        assert_eq!(text, config);
        (files.into_iter().map(|(_, text)| text).collect::<Vec<_>>(), changes)
    };
    // The new version names it for the administrator to make, or ships it as before.
    for shipped in [None, Some(a.as_str())] {
        let (files, changes) = merged(&own, shipped, shipped);
        assert_eq!(files, [own.as_str()]);
        assert_eq!(*fate(&changes, path), Fate::Carried);
    }
    // Nothing was changed by the administrator, or both have changed the same.
    for (old, base, new) in [(&a, &a, &theirs), (&theirs, &a, &theirs)] {
        let (files, changes) = merged(old, Some(base), Some(new));
        assert!(files.is_empty() && changes.is_empty(), "{changes:#?}");
    }
    let (files, changes) = merged(&own, Some(&a), Some(&theirs));
    assert!(files.is_empty() && is_reported(&changes, path), "{changes:#?}");
    // The new version does not know it any more: its values are not lost without a word.
    let (text, files, changes) = together([(&config, &[("own.config", &own)]), (&config, &[]), (SHIPPED, &[])]);
    assert!(files.is_empty() && !text.contains("own.config") && is_reported(&changes, path), "{changes:#?}");
}

#[test]
fn a_section_that_cannot_be_had_as_shipped_is_taken_as_a_whole() {
    let config = with_connections(REFERENCE);
    let own = connections(&[("A", "own")]);
    let (text, files, changes) = together([(&config, &[("db.config", &own)]), (&config, &[]), (&config, &[])]);
    assert_eq!((text, files), (config.clone(), vec![("db.config".to_owned(), own.clone())]));
    assert_eq!(*fate(&changes, "connectionStrings/@configSource"), Fate::Carried);
    let theirs = connections(&[("A", "theirs")]);
    let (text, files, changes) =
        together([(&config, &[("db.config", &own)]), (&config, &[]), (&config, &[("db.config", &theirs)])]);
    assert!(text == config && files.is_empty() && is_reported(&changes, "connectionStrings/@configSource"));
}
