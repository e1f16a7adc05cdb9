//! Properties that hold for all values and all ways to store them.

use super::{merging::setting, outside_values::EDITS, samples::*, *};
use proptest::prelude::*;

/// Characters that are awkward somewhere: in attributes, in text, in a code page, as line ends.
fn value() -> impl Strategy<Value = String> {
    let awkward = prop::sample::select(vec![
        '&', '<', '>', '"', '\'', '\n', '\r', '\t', ' ', 'a', 'é', '€', '\u{85}', '語', '😀', ']', ';', '#',
    ]);
    prop::collection::vec(awkward, 0..12).prop_map(String::from_iter)
}

fn form() -> impl Strategy<Value = Form> {
    prop::sample::select(FORMS.to_vec())
}

/// Small files in which everything that can collide does.
fn colliding() -> impl Strategy<Value = String> {
    let some = |all: &[&str], most: usize| {
        let all: Vec<String> = all.iter().map(|&item| item.to_owned()).collect();
        prop::collection::vec(prop::sample::select(all), 0..most).prop_map(|items| items.concat())
    };
    let keys = some(
        &["<add key='a' value='1'/>", "<add key='A' value='2'/>", "<add key='b'/>", "<remove key='a'/>", "<clear/>\n"],
        5,
    );
    let setting = |name: &str, value: &str| setting(name, &format!("<value>{value}</value>"));
    let (url, placeholder) = ("https://h/PhoneFactorWebServiceSdk/PfWsSdk.asmx", "http://www.contoso.com/PfWsSdk.asmx");
    let settings = [
        setting("n", "1"),
        setting("n", "2"),
        setting("n", url),
        setting("a_pfwssdk_PfWsSdk", url),
        setting("a_pfwssdk_PfWsSdk", placeholder),
        setting("b_pfwssdk_PfWsSdk", placeholder),
        r#"<setting name="n" serializeAs="Xml"><value><a/></value></setting>"#.to_owned(),
        r#"<setting name="n"/>"#.to_owned(),
    ];
    let settings = prop::collection::vec(prop::sample::select(settings.to_vec()), 0..4).prop_map(|all| all.concat());
    let names = prop::sample::subsequence(vec!["A.S", "B.S", "C.T"], 0..=3);
    let web = some(
        &[
            "<pages theme='x'/>",
            "<pages/>",
            "<customErrors mode='Off'/>\n",
            "<sessionState timeout='1'/>",
            "<sessionState timeout='2'>t</sessionState>",
            "<l><add name='a' v='1'/><add name='b' v='1'/></l>",
            "<l><add name='b' v='2'/><add v='1' password='p'/></l>",
            "</system.web><system.web>",
        ],
        6,
    );
    (prop::option::of(keys), names, settings.clone(), settings, web).prop_map(|(keys, names, one, other, web)| {
        let keys = keys.map(|keys| format!("<appSettings>{keys}</appSettings>")).unwrap_or_default();
        let bodies = [&one, &other, &one];
        let sections = names.iter().zip(bodies).map(|(name, body)| format!("<{name}>{body}</{name}>"));
        let sections: String = sections.collect();
        configuration(&format!(
            "{keys}<system.web>{web}</system.web><applicationSettings>{sections}</applicationSettings>"
        ))
    })
}

fn escaped(value: &str) -> String {
    value.chars().map(|c| format!("&#{};", u32::from(c))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_value_means_the_same_wherever_it_is_carried(value in value(), old_form in form(), new_form in form()) {
        let added = format!("    <add key='Added{0}' value='{0}'/>\n  </appSettings>", escaped(&value));
        let old = SHIPPED
            .replace(r#"PASSWORD" value="""#, &format!(r#"PASSWORD" value="{}""#, escaped(&value)))
            .replace("http://localhost:4898/PfWsSdk.asmx", &escaped(&value))
            .replace("  </appSettings>", &added);
        let (old, base) = (parsed(stored(&old, old_form)), parsed(SHIPPED));
        for inner in ["value=\"\"", "value=''"] {
            let new = NEW.replace("value=\"\"", inner);
            let new = parsed(stored(&new, new_form));
            let sources = Sources { old: &old, base: Some(&base), new: &new };
            let result = merge(&sources, &keep()).unwrap();
            let values = result.document.clone().values().unwrap();
            prop_assert_eq!(values.app_setting("WEB_SERVICE_SDK_AUTHENTICATION_PASSWORD"), Some(value.as_str()));
            prop_assert_eq!(values.app_setting(&format!("Added{value}")), Some(value.as_str()));
            prop_assert_eq!(values.settings[0].value.expose(), value.as_str());
        }
    }

    #[test]
    fn whatever_collides_the_merge_reads_back_and_settles(
        old in colliding(), base in prop::option::of(colliding()), new in colliding(), set: bool
    ) {
        let (old, base, new) = (parsed(old), base.map(parsed), parsed(new));
        let set_url = SdkUrlRule::Set("https://s/PfWsSdk.asmx".to_owned());
        let rules = if set { Rules { sdk_url: set_url, ..keep() } } else { renaming() };
        let sources = Sources { old: &old, base: base.as_ref(), new: &new };
        let merged = merge(&sources, &rules).map_err(|error| TestCaseError::fail(error.to_string()))?.document;
        let again = merge(&Sources { new: &merged, ..sources }, &rules).unwrap();
        prop_assert_eq!(again.document.bytes(), merged.bytes());
        let same = merge(&Sources { old: &old, base: Some(&old), new: &new }, &keep()).unwrap();
        prop_assert_eq!(same.document.bytes(), new.bytes());
    }

    #[test]
    fn every_edit_is_accounted_for_and_merging_again_changes_nothing(
        edits in prop::sample::subsequence(EDITS.to_vec(), 0..EDITS.len()), form in form(), with_base: bool
    ) {
        let old = edits.iter().fold(SHIPPED.to_owned(), |text, (from, to, _)| text.replace(from, to));
        let (old, base, new) = (parsed(old), parsed(SHIPPED), parsed(stored(NEW, form)));
        let sources = Sources { old: &old, base: with_base.then_some(&base), new: &new };
        let result = merge(&sources, &renaming()).unwrap();
        for (_, _, path) in edits.iter().filter(|_| with_base) {
            prop_assert_eq!(result.changes.iter().filter(|change| change.path == *path).count(), 1, "{}", path);
        }
        let merged = result.document.clone();
        let again = merge(&Sources { new: &merged, ..sources }, &renaming()).unwrap();
        prop_assert_eq!(again.document.bytes(), merged.bytes());
        if edits.is_empty() {
            prop_assert_eq!(merged.bytes(), new.bytes());
        }
    }

    #[test]
    fn what_no_change_names_keeps_its_lines(
        edits in prop::sample::subsequence(EDITS.to_vec(), 0..EDITS.len()), form in form()
    ) {
        let old = edits.iter().fold(SHIPPED.to_owned(), |text, (from, to, _)| text.replace(from, to));
        let (old, base, new) = (parsed(old), parsed(SHIPPED), parsed(stored(NEW, form)));
        let result = merge(&Sources { old: &old, base: Some(&base), new: &new }, &keep()).unwrap();
        // An attribute that goes leaves its line, a whole element does not.
        let is_written = |change: &&Change| {
            matches!(change.fate, Fate::Carried | Fate::Added)
                || (change.fate == Fate::Removed && change.path.contains('@'))
        };
        // An element's first child puts its end tag on a line of its own.
        let lines_of = |change: &Change| if change.path == "connectionStrings/add[x]" { 3 } else { 1 };
        let expected: usize = result.changes.iter().filter(is_written).map(lines_of).sum();
        let merged = result.document.clone();
        // Where line ends are mixed, a new line and the one before it may swap theirs.
        let lines = |text: &str| -> Vec<String> {
            let is_mixed = matches!(form, Form::Mixed);
            text.split_inclusive('\n').map(|line| if is_mixed { line.trim_end() } else { line }.to_owned()).collect()
        };
        let (before, after) = (lines(new.text()), lines(merged.text()));
        let (before, after): (Vec<_>, Vec<_>) =
            (before.iter().map(String::as_str).collect(), after.iter().map(String::as_str).collect());
        let diff = similar::TextDiff::from_slices(&before, &after);
        let added = diff.iter_all_changes().filter(|change| change.tag() == similar::ChangeTag::Insert).count();
        prop_assert_eq!(added, expected);
    }

    #[test]
    fn any_bytes_are_read_or_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..64), at in 0..SHIPPED.len(), form in form()
    ) {
        let _ = Document::parse(bytes.clone(), "web.config");
        let mut file = stored(SHIPPED, form);
        let at = at.min(file.len());
        file.splice(at..at, bytes);
        if let Ok(document) = Document::parse(file, "web.config") {
            let new = parsed(NEW);
            let _ = merge(&Sources { old: &document, base: None, new: &new }, &keep());
            let _ = merge(&Sources { old: &new, base: None, new: &document }, &keep());
            let _ = masked_diff(&document, &new, 3);
        }
    }
}
