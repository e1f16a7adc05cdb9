//! No secret is seen, and no difference is lost.

use super::{samples::*, *};

#[test]
fn no_output_holds_a_secret() {
    let hiding = [
        r#"<!-- password was hunter1 -->"#,
        r#"<connectionStrings><add name="x" connectionString="Server=s;Password=hunter2"/></connectionStrings>"#,
        r#"<machineKey validationKey="hunter3" decryptionKey="hunter4"/><identity userName="u" password="hunter5"/>"#,
        r#"<x a="https://user:hunter6@host/"/><secret>hunter7</secret>"#,
    ];
    let key = "<add key='Db' value='Data Source=x; Pwd = hunter8'/></appSettings>";
    let setting = "<setting name='ApiKey' serializeAs='Xml'><value><a>hunter9</a></value></setting>";
    let old = edited()
        .replace("<connectionStrings />", &hiding.join("\n"))
        .replace("</appSettings>", key)
        .replace("</pfup.Properties.Settings>", &format!("{setting}</pfup.Properties.Settings>"));
    let (result, changes) = merged(&old, Some(SHIPPED), NEW, &keep());
    let secret = |text: &str| text.contains("hunter") || text.contains("a&amp;b") || text.contains(PASSWORD);
    assert!(secret(&result));
    assert!(!secret(&serde_json::to_string(&changes).unwrap()));
    assert!(!secret(&format!("{changes:?} {:?} {:?}", parsed(old.as_str()), parsed(old.as_str()).values().unwrap())));
    let documents = [parsed(SHIPPED), parsed(old), parsed(result), parsed(NEW)];
    for (one, other) in documents.iter().flat_map(|one| documents.iter().map(move |other| (one, other))) {
        let lines = masked_diff(one, other, 1000);
        assert!(!lines.iter().any(|line| secret(&line.text)), "{lines:#?}");
    }
    assert!(masked_diff(&documents[1], &documents[1], 3).is_empty());
}

/// Markup is shown as one value: what is secret in it was once shown with it.
#[test]
fn a_secret_inside_of_a_setting_of_markup_is_not_seen() {
    let of = |inner: &str| {
        let setting = format!(r#"<setting name="Mail" serializeAs="Xml"><value>{inner}</value></setting>"#);
        configuration(&format!("<applicationSettings><S>{setting}</S></applicationSettings>"))
    };
    let none = configuration("<applicationSettings><S/></applicationSettings>");
    let said =
        |old: &str, base: Option<&str>, new: &str| serde_json::to_string(&merged(old, base, new, &keep()).1).unwrap();
    for (one, other) in [
        ("<c><Password>hunter1</Password></c>", "<c><Password>hunter2</Password></c>"),
        (r#"<c pwd="hunter1"/>"#, r#"<c pwd="hunter2"/>"#),
        ("<c><add key='Secret' value='hunter1'/></c>", "<c/>"),
        ("<c><!-- password hunter1 --></c>", "<c/>"),
    ] {
        let (one, other) = (of(one), of(other));
        for (old, base, new) in [
            (&one, None, &other),
            (&other, None, &one),
            (&one, Some(&other), &other),
            (&other, Some(&one), &one),
            (&one, Some(&none), &none),
            (&none, Some(&one), &one),
            (&none, Some(&one), &other),
        ] {
            let said = said(old, base.map(String::as_str), new);
            assert!(!said.contains("hunter"), "{said}");
        }
    }
    assert!(said(&of("<c><Host>h</Host></c>"), None, &of("<c/>")).contains("<Host>h</Host>"));
}

#[test]
fn a_secret_that_differs_shows_as_a_difference() {
    let of = |password: &str| {
        parsed(configuration(&format!("<appSettings>\n<add key=\"Password\" value=\"{password}\"/>\n</appSettings>")))
    };
    let shown: Vec<_> =
        masked_diff(&of("a"), &of("b"), 0).into_iter().filter(|line| line.kind != LineKind::Gap).collect();
    let line = |kind, mask| DiffLine { kind, text: format!("<add key=\"Password\" value=\"{mask}\"/>") };
    assert_eq!(shown, [line(LineKind::Removed, "(masked)"), line(LineKind::Added, "(masked, different)")]);
    assert!(masked_diff(&of("a&#38;"), &of("a&amp;"), 0).is_empty());
}

#[test]
fn a_diff_shows_lines_without_their_ends_and_gaps_between() {
    let lines = |middle: &str, end: &str| {
        parsed(configuration(&format!("<a/>\n<b/>\n{middle}\n<c/>\n<d/>")).replace('\n', end))
    };
    assert!(masked_diff(&lines("<x/>", "\n"), &lines("<x/>", "\r\n"), 3).is_empty());
    let kinds: Vec<_> =
        masked_diff(&lines("<x/>", "\n"), &lines("<y/>", "\n"), 1).iter().map(|line| line.kind).collect();
    use LineKind::*;
    assert_eq!(kinds, [Gap, Context, Removed, Added, Context, Gap]);
}

#[test]
fn a_change_reads_back_from_json() {
    let (_, changes) = merged(&edited(), Some(SHIPPED), NEW, &renaming());
    let json = serde_json::to_string(&changes).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Change>>(&json).unwrap(), changes);
    assert!(json.contains(r#""old":"(masked)""#), "{json}");
}
