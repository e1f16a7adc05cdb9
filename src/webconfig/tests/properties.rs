//! Properties that hold for all values and all ways to store them.

use super::{outside_values::EDITS, samples::*, *};
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

fn escaped(value: &str) -> String {
    value.chars().map(|c| format!("&#{};", u32::from(c))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_value_means_the_same_wherever_it_is_carried(value in value(), old_form in form(), new_form in form()) {
        let old = SHIPPED
            .replace(r#"PASSWORD" value="""#, &format!(r#"PASSWORD" value="{}""#, escaped(&value)))
            .replace("http://localhost:4898/PfWsSdk.asmx", &escaped(&value))
            .replace("  </appSettings>", &format!("    <add key='Added{0}' value='{0}'/>\n  </appSettings>", escaped(&value)));
        let (old, base) = (parsed(stored(&old, old_form)), parsed(SHIPPED));
        for inner in ["value=\"\"", "value=''"] {
            let new = NEW.replace("value=\"\"", inner);
            let new = parsed(stored(&new, new_form));
            let sources = Sources { old: &old, base: Some(&base), new: &new };
            let result = merge(&sources, &keep()).unwrap();
            let values = parsed(result.bytes).values().unwrap();
            prop_assert_eq!(values.app_setting("WEB_SERVICE_SDK_AUTHENTICATION_PASSWORD"), Some(value.as_str()));
            prop_assert_eq!(values.app_setting(&format!("Added{value}")), Some(value.as_str()));
            prop_assert_eq!(values.settings[0].value.expose(), value.as_str());
        }
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
        let merged = parsed(result.bytes);
        let again = merge(&Sources { new: &merged, ..sources }, &renaming()).unwrap();
        prop_assert_eq!(again.bytes, merged.bytes());
        if edits.is_empty() {
            prop_assert_eq!(merged.bytes(), new.bytes());
        }
    }

    #[test]
    fn what_no_change_names_keeps_its_lines(edits in prop::sample::subsequence(EDITS.to_vec(), 0..EDITS.len()), form in form()) {
        let old = edits.iter().fold(SHIPPED.to_owned(), |text, (from, to, _)| text.replace(from, to));
        let (old, base, new) = (parsed(old), parsed(SHIPPED), parsed(stored(NEW, form)));
        let result = merge(&Sources { old: &old, base: Some(&base), new: &new }, &keep()).unwrap();
        let is_written = |change: &&Change| matches!(change.fate, Fate::Carried | Fate::Added);
        let expected = result.changes.iter().filter(is_written).count();
        let merged = parsed(result.bytes);
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
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64), at in 0..SHIPPED.len(), form in form()) {
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
