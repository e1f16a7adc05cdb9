//! What the merge carries and what it tells.

use super::{samples::*, *};

fn line_changes(before: &str, after: &str) -> Vec<String> {
    let diff = similar::TextDiff::from_lines(before, after);
    let changed = diff.iter_all_changes().filter(|change| change.tag() != similar::ChangeTag::Equal);
    changed.map(|change| format!("{}{}", change.tag(), change.value().trim_end())).collect()
}

#[test]
fn an_administrators_values_go_into_the_new_file_and_nothing_else_changes() {
    let (result, changes) = merged(&edited(), Some(SHIPPED), NEW, &renaming());
    assert_eq!(
        line_changes(NEW, &result),
        [
            r#"-    <add key="USE_WEB_SERVICE_SDK" value="false"/>"#,
            r#"-    <add key='WEB_SERVICE_SDK_AUTHENTICATION_USERNAME' value='' />"#,
            r#"-    <add key="WEB_SERVICE_SDK_AUTHENTICATION_PASSWORD" value=""/>"#,
            r#"+    <add key="USE_WEB_SERVICE_SDK" value="true"/>"#,
            r#"+    <add key='WEB_SERVICE_SDK_AUTHENTICATION_USERNAME' value='CONTOSO\pfsvc' />"#,
            r#"+    <add key="WEB_SERVICE_SDK_AUTHENTICATION_PASSWORD" value="a&amp;b&quot;c&lt;&#x9;é"/>"#,
            r#"+    <add key="SSL_REQUIRED" value="false"/>"#,
            r#"-    <pages theme="Default" controlRenderingCompatibilityVersion="4.0" />"#,
            r#"-    <customErrors mode="RemoteOnly" />"#,
            r#"-    <sessionState timeout="20" />"#,
            r#"+    <pages theme="Contoso" controlRenderingCompatibilityVersion="4.0" />"#,
            r#"+    <customErrors mode="Off" />"#,
            r#"+    <sessionState timeout="40" />"#,
            r#"-        <value>https://www.contoso.com/MultiFactorAuthWebServiceSdk/PfWsSdk.asmx</value>"#,
            r#"+        <value>https://mfa.contoso.test/MultiFactorAuthWebServiceSdk/PfWsSdk.asmx</value>"#,
        ]
    );
    assert_eq!(fate(&changes, "appSettings/SSL_REQUIRED"), &Fate::Added);
    assert_eq!(fate(&changes, "appSettings/WEB_SERVICE_SDK_AUTHENTICATION_PASSWORD"), &Fate::Carried);
    let sdk = "applicationSettings/pfup.Properties.Settings/pfup_pfwssdk_PfWsSdk";
    assert!(matches!(fate(&changes, sdk), Fate::Rewritten { .. }));
    assert!(matches!(fate(&changes, "system.web/compilation/@debug"), Fate::Reported { .. }));
    assert_eq!(changes.len(), 9, "{changes:#?}");
}

const SDK: &str = "applicationSettings/pfup.Properties.Settings/pfup_pfwssdk_PfWsSdk";

#[test]
fn every_way_to_store_the_files_gives_the_same_values() {
    let base = parsed(SHIPPED);
    for (old_form, new_form) in FORMS.iter().flat_map(|old| FORMS.map(|new| (*old, new))) {
        let (old, new) = (parsed(stored(&edited(), old_form)), parsed(stored(NEW, new_form)));
        let sources = Sources { old: &old, base: Some(&base), new: &new };
        let values = merge(&sources, &renaming()).unwrap().document.values().unwrap();
        let case = format!("{old_form:?} into {new_form:?}");
        assert_eq!(values.app_setting("WEB_SERVICE_SDK_AUTHENTICATION_PASSWORD"), Some(PASSWORD), "{case}");
        assert_eq!(values.app_setting("ssl_required"), Some("false"), "{case}");
        assert_eq!(values.app_setting("NEW_IN_THIS_VERSION"), Some("yes"), "{case}");
        assert_eq!(values.theme.as_deref(), Some("Contoso"), "{case}");
        let url = "https://mfa.contoso.test/MultiFactorAuthWebServiceSdk/PfWsSdk.asmx";
        assert_eq!(values.settings[0].value.expose(), url, "{case}");
    }
}

#[test]
fn without_the_file_as_shipped_all_but_placeholders_wins() {
    let (result, changes) = merged(&edited(), None, NEW, &renaming());
    let (with_base, _) = merged(&edited(), Some(SHIPPED), NEW, &renaming());
    assert_eq!(result, with_base.replace(r#"sessionState timeout="40""#, r#"sessionState timeout="20""#));
    for section in ["configSections", "system.web"] {
        assert!(is_reported(&changes, section));
    }
    let (result, changes) = merged(SHIPPED, None, NEW, &keep());
    assert_eq!(result, NEW);
    assert!(is_superseded(&changes, SDK));
    assert_eq!(changes.len(), 3, "{changes:#?}");
}

#[test]
fn what_was_never_changed_leaves_the_new_file_alone() {
    let (result, changes) = merged(SHIPPED, Some(SHIPPED), NEW, &renaming());
    assert_eq!(result, NEW);
    assert_eq!(changes.len(), 1, "{changes:#?}");
    assert!(is_superseded(&changes, SDK));
}

#[test]
fn keys_compare_without_case_and_the_last_one_counts() {
    let old = configuration(r#"<appSettings><add key="a" value="1"/><add key="A" value="2"/></appSettings>"#);
    let new = configuration(r#"<appSettings><add key="a" value="x"/><add key="A" value="y"/></appSettings>"#);
    let (result, changes) = merged(&old, None, &new, &keep());
    assert_eq!(result, new.replace(r#""y""#, r#""2""#));
    assert_eq!(changes.len(), 1);
    let old = configuration(r#"<appSettings><add key="a" value="1"/><remove key="A"/></appSettings>"#);
    let (result, changes) = merged(&old, None, &new, &keep());
    assert_eq!(result, new);
    assert!(is_reported(&changes, "appSettings/remove[A]"));
}

#[test]
fn an_added_key_follows_its_neighbors() {
    let old = configuration(r#"  <appSettings><add key="k" value="v" /></appSettings>"#);
    for (before, after) in [
        ("\t<appSettings/>", "\t<appSettings>\n\t\t<add key=\"k\" value=\"v\" />\n\t</appSettings>"),
        ("\t<appSettings />", "\t<appSettings>\n\t\t<add key=\"k\" value=\"v\" />\n\t</appSettings>"),
        ("\t<appSettings></appSettings>", "\t<appSettings>\n\t\t<add key=\"k\" value=\"v\" />\n\t</appSettings>"),
        (
            "  <appSettings file='a>b'>\n  </appSettings>",
            "  <appSettings file='a>b'>\n    <add key=\"k\" value=\"v\" />\n  </appSettings>",
        ),
        (
            "  <appSettings>\n      <clear/> <!-- all -->\n  </appSettings>",
            "  <appSettings>\n      <clear/> <!-- all -->\n      <add key=\"k\" value=\"v\" />\n  </appSettings>",
        ),
        (
            "<appSettings><add key='j' value='u'/></appSettings>",
            "<appSettings><add key='j' value='u'/><add key=\"k\" value=\"v\"/></appSettings>",
        ),
        (
            "   <configSections/>\n   <system.web/>",
            "   <configSections/>\n   <appSettings>\n      <add key=\"k\" value=\"v\" />\n   </appSettings>\n   \
             <system.web/>",
        ),
    ] {
        for line_end in ["\n", "\r\n"] {
            let of = |inner| configuration(inner).replace('\n', line_end);
            assert_eq!(merged(&old, None, &of(before), &keep()).0, of(after));
        }
    }
    for empty in ["<configuration/>", "<configuration></configuration>"] {
        let (result, _) = merged(&old, None, empty, &keep());
        assert_eq!(result, r#"<configuration><appSettings><add key="k" value="v" /></appSettings></configuration>"#);
    }
}

#[test]
fn a_key_without_a_value_gets_one() {
    let old = configuration(r#"<appSettings><add key="k" value="v"/></appSettings>"#);
    let new = configuration(r#"<appSettings><add key="k"/></appSettings>"#);
    assert_eq!(merged(&old, None, &new, &keep()).0, old);
}

fn settings(section: &str, inner: &str) -> String {
    configuration(&format!("<applicationSettings>\n<{section}>{inner}</{section}>\n</applicationSettings>"))
}

pub(super) fn setting(name: &str, content: &str) -> String {
    format!(r#"<setting name="{name}" serializeAs="String">{content}</setting>"#)
}

/// Settings with the space that ASP.NET needs to tell them apart.
fn loose(settings: &str) -> String {
    settings.replace("</value></setting>", "</value> </setting>")
}

#[test]
fn a_setting_is_found_by_name_by_its_service_and_by_a_section_of_like_name() {
    let url = "<value>https://h/PhoneFactorWebServiceSdk/PfWsSdk.asmx</value>";
    let old = settings(
        "pfup.Properties.Settings",
        &(setting("pfup_pfwssdk_PfWsSdk", url) + &setting("Other", "<value>1</value>")),
    );
    let shipped = "<value>http://www.contoso.com/PfWsSdk.asmx</value>";
    let new = settings("MFA.Properties.Settings", &setting("mfa_pfwssdk_PfWsSdk", shipped));
    let (result, changes) = merged(&old, None, &new, &renaming());
    let url = url.replace("PhoneFactorWebServiceSdk", "MultiFactorAuthWebServiceSdk");
    let both = setting("mfa_pfwssdk_PfWsSdk", &url) + &setting("Other", "<value>1</value>");
    assert_eq!(result, settings("MFA.Properties.Settings", &loose(&both)));
    assert_eq!(fate(&changes, "applicationSettings/pfup.Properties.Settings/Other"), &Fate::Added);
    assert!(matches!(
        fate(&changes, "applicationSettings/MFA.Properties.Settings/mfa_pfwssdk_PfWsSdk"),
        Fate::Rewritten { .. }
    ));

    let elsewhere = settings("Quite.Different", "");
    let (result, changes) = merged(&old, None, &elsewhere, &renaming());
    assert_eq!(result, elsewhere);
    assert!(is_reported(&changes, SDK));
    assert!(is_reported(&changes, "applicationSettings/pfup.Properties.Settings/Other"));
}

#[test]
fn the_text_of_a_setting_is_exact_however_the_new_file_writes_it() {
    let value = " a&lt;b ]]&gt;\n  \"c\" &#13; ";
    let old = settings("S", &setting("n", &format!("<value>{value}</value>")));
    for content in
        ["<value/>", "<value />", "<value></value>", "", "<value><![CDATA[x]]></value>", "<value>x<!-- y --></value>"]
    {
        let new = settings("S", &setting("n", content)).replace('\n', "\r\n");
        let (result, _) = merged(&old, None, &new, &keep());
        let value = value.replace('\n', "\r\n").replace("&#13;", "&#xD;");
        let expected = settings("S", &setting("n", "<value>%</value>")).replace('\n', "\r\n").replace('%', &value);
        let expected = if content.is_empty() { loose(&expected) } else { expected };
        assert_eq!(result, expected, "{content}");
        assert_eq!(parsed(result).values().unwrap().settings, parsed(old.as_str()).values().unwrap().settings);
    }
    let new = settings("S", r#"<setting name="n" serializeAs="String"/>"#);
    assert_eq!(merged(&old, None, &new, &keep()).0, loose(&old.replace("&#13;", "&#xD;")));
}

#[test]
fn markup_is_carried_as_it_is_written() {
    let list = |inner: &str| {
        let value = format!("<value>{inner}</value>");
        settings("S", &format!(r#"<setting name="n" serializeAs="Xml">{value}</setting>"#))
    };
    let old = list("\n  <ArrayOfString><string>é&amp;</string></ArrayOfString>\n");
    let none = settings("S", "");
    let new = list("<ArrayOfString/>");
    assert_eq!(merged(&old, None, &new, &keep()).0, old);
    assert_eq!(merged(&old, None, &new.replace('\n', "\r\n"), &keep()).0, old.replace('\n', "\r\n"));
    // What stands in the file in another form is another value.
    let new = settings("S", &setting("n", "<value>x</value>"));
    let (result, changes) = merged(&old, None, &new, &keep());
    assert_eq!(result, new);
    assert!(is_reported(&changes, "applicationSettings/S/n"));
    let prefixed = list("<p:a/>").replace("<configuration>", r#"<configuration xmlns:p="urn:p">"#);
    for new in [list(""), none] {
        let (result, changes) = merged(&prefixed, None, &new, &keep());
        assert_eq!(result, new);
        assert!(is_reported(&changes, "applicationSettings/S/n"));
    }
    let ascii = parsed(r#"<?xml version="1.0" encoding="us-ascii"?>"#.to_owned() + &list(""));
    let old = parsed(old);
    let changes = merge(&Sources { old: &old, base: None, new: &ascii }, &keep()).unwrap().changes;
    assert!(is_reported(&changes, "applicationSettings/S/n"));
}

/// Such a setting of the administrator's was once reported only.
#[test]
fn a_setting_of_markup_that_the_new_file_has_not_is_added_with_its_layout() {
    let section = |inner: &str| configuration(&format!("  <applicationSettings>\n{inner}  </applicationSettings>"));
    let text = "      <setting name=\"a\" serializeAs=\"String\">\n        <value>1</value>\n      </setting>\n";
    let xml = "      <!-- ours -->\n      <setting name=\"n\" serializeAs=\"Xml\">\n        <value>\n          <List />\n        \
               </value>\n      </setting>\n";
    let of = |settings: &str| section(&format!("    <S>\n{settings}    </S>\n"));
    let new = of(text).replace("      <", "\t\t\t<").replace("  <value", "\t<value");
    let (result, changes) = merged(&of(&format!("{text}{xml}")), Some(&of(text)), &new, &keep());
    let (_, added) = result.split_once("</setting>").unwrap();
    assert!(added.starts_with("\n\t\t\t<!-- ours -->\n\t\t\t<setting name=\"n\" serializeAs=\"Xml\">\n"), "{added}");
    assert!(added.contains("<List />"), "{added}");
    assert_eq!(fate(&changes, "applicationSettings/S/n"), &Fate::Added);
}

#[test]
fn an_address_that_the_plan_sets_wins_over_everything() {
    let url = "https://mfa.contoso.test/New/PfWsSdk.asmx";
    let rules = Rules { sdk_url: SdkUrlRule::Set(url.to_owned()), ..keep() };
    for old in [edited(), SHIPPED.to_owned(), "<configuration/>".to_owned()] {
        let (result, changes) = merged(&old, None, NEW, &rules);
        assert_eq!(parsed(result).sdk_url(), Some(("pfup_pfwssdk_PfWsSdk".to_owned(), url.to_owned())));
        assert!(matches!(fate(&changes, SDK), Fate::Rewritten { .. }));
    }
}

#[test]
fn an_address_is_rewritten_even_where_both_files_have_it() {
    let same = edited();
    let (result, changes) = merged(&same, None, &same, &renaming());
    assert_eq!(result, same.replace("phonefactorwebservicesdk", "MultiFactorAuthWebServiceSdk"));
    assert_eq!(changes.len(), 1);
}

#[test]
fn an_address_among_the_app_settings_is_rewritten_too() {
    let of = |url: &str| configuration(&format!(r#"<appSettings><add key="SDK" value="{url}"/></appSettings>"#));
    let (result, changes) = merged(&of("https://h/PhoneFactorWebServiceSdk/PfWsSdk.asmx"), None, &of(""), &renaming());
    assert_eq!(result, of("https://h/MultiFactorAuthWebServiceSdk/PfWsSdk.asmx"));
    assert!(matches!(fate(&changes, "appSettings/SDK"), Fate::Rewritten { .. }));
}

#[test]
fn a_value_that_was_removed_by_hand_is_removed() {
    let of = |keys: &str| configuration(&format!("<appSettings>{keys}</appSettings>"));
    let (a, b) = (r#"<add key="a" value="1"/>"#, r#"<add key="b" value="1"/>"#);
    let base = of(&format!("{a}{b}"));
    for old in ["<configuration/>", &of("")] {
        let (result, changes) = merged(old, Some(&base), &of(a), &keep());
        assert_eq!(result, of(""));
        assert_eq!(fate(&changes, "appSettings/a"), &Fate::Removed);
        assert_eq!(fate(&changes, "appSettings/b"), &Fate::AlreadySo);
        assert_eq!(changes.len(), 2, "{changes:#?}");
    }
    let twice = of(r#"<add key="A" value="0"/><add key="a" value="1"/>"#);
    assert_eq!(merged(&of(""), Some(&base), &twice, &keep()).0, of(""));
    let base = settings("S", &(setting("a", "<value>1</value>") + &setting("b", "")));
    let new = settings("S", &setting("a", "<value>1</value>"));
    let (result, changes) = merged(&settings("S", ""), Some(&base), &new, &keep());
    assert_eq!(result, settings("S", ""));
    assert_eq!(fate(&changes, "applicationSettings/S/a"), &Fate::Removed);
    assert_eq!(fate(&changes, "applicationSettings/S/b"), &Fate::AlreadySo);
}

#[test]
fn a_value_that_the_new_version_changed_is_removed_all_the_same_unless_both_sides_count_alike() {
    let app = |value: &str| configuration(&format!(r#"<appSettings><add key="a" value="{value}"/></appSettings>"#));
    let none = configuration("<appSettings></appSettings>");
    let of = |value: &str| settings("S", &setting("a", &format!("<value>{value}</value>")));
    for (old, base, new, path) in [
        (&none, app("1"), app("2"), "appSettings/a"),
        (&settings("S", ""), of("1"), of("2"), "applicationSettings/S/a"),
    ] {
        let (result, changes) = merged(old, Some(&base), &new, &keep());
        assert_eq!((&result, fate(&changes, path)), (old, &Fate::Removed));
        let strict = Rules { strict: true, ..keep() };
        let (result, changes) = merged(old, Some(&base), &new, &strict);
        assert_eq!((&result, fate(&changes, path)), (&new, &Fate::Conflict { taken: None }));
        let (result, _) = merged(old, Some(&base), &new, &Rules { on_conflict: OnConflict::KeepOld, ..strict });
        assert_eq!(&result, old);
    }
    // Something else that the new version says of the key is a change of it as well.
    let more = configuration(r#"<appSettings><add key="a" value="1" secret="true"/></appSettings>"#);
    let strict = Rules { strict: true, ..keep() };
    let (result, changes) = merged(&none, Some(&app("1")), &more, &strict);
    assert_eq!((&result, fate(&changes, "appSettings/a")), (&more, &Fate::Conflict { taken: None }));
}

/// Found by chance: the place that a setting could not be written to was then emptied, and written to after all.
#[test]
fn a_setting_that_stands_for_another_is_not_removed() {
    let sections = |inner: &str| configuration(&format!("<applicationSettings>{inner}</applicationSettings>"));
    let markup = r#"<B.S><setting name="n" serializeAs="Xml"><value><a/></value></setting></B.S>"#;
    let old = sections(&format!("<A.S>{}</A.S>", setting("n", "<value>1</value>")));
    let (result, changes) = merged(&old, Some(&sections(&format!("<A.S/>{markup}"))), &sections(markup), &keep());
    assert_eq!(result, sections(markup));
    assert_eq!(changes.iter().filter(|change| matches!(change.fate, Fate::Reported { .. })).count(), 2, "{changes:#?}");
}

#[test]
fn two_settings_never_fight_for_one_place() {
    let both = |names: [&str; 2]| {
        let section = |name, value| format!("<{name}>{}</{name}>", setting("n", &format!("<value>{value}</value>")));
        let sections = section(names[0], "1") + &section(names[1], "2");
        configuration(&format!("<applicationSettings>{sections}</applicationSettings>"))
    };
    let old = both(["A.Settings", "B.Settings"]);
    let (result, changes) = merged(&old, None, &settings("X.Settings", ""), &keep());
    assert_eq!(parsed(result).values().unwrap().settings[0].value.expose(), "1");
    assert!(is_reported(&changes, "applicationSettings/B.Settings/n"));

    let new = settings("B.Settings", &setting("n", "<value>x</value>"));
    let (result, changes) = merged(&old, None, &new, &keep());
    assert_eq!(result, new.replace(">x<", ">2<"));
    assert!(is_reported(&changes, "applicationSettings/A.Settings/n"));

    let url = |host| format!("<value>https://{host}/PfWsSdk.asmx</value>");
    let old = settings("S", &(setting("other", &url("1")) + &setting("a_pfwssdk_PfWsSdk", &url("2"))));
    let new = settings("S", &setting("b_pfwssdk_PfWsSdk", "<value/>"));
    let (result, _) = merged(&old, None, &new, &keep());
    let both = setting("b_pfwssdk_PfWsSdk", &url("2")) + &setting("other", &url("1"));
    assert_eq!(result, settings("S", &loose(&both)));
}

#[test]
fn characters_outside_the_code_page_become_references() {
    let old = parsed(configuration(r#"<appSettings><add key="k" value="é€語"/></appSettings>"#));
    let declaration = |label: &str| format!(r#"<?xml version="1.0" encoding="{label}"?>"#);
    let body = r#"<configuration><appSettings><add key="k" value=""/></appSettings></configuration>"#;
    for (label, written) in [
        ("us-ascii", &b"&#xE9;&#x20AC;&#x8A9E;"[..]),
        ("iso-8859-1", b"\xE9&#x20AC;&#x8A9E;"),
        ("windows-1252", b"\xE9\x80&#x8A9E;"),
    ] {
        let new = parsed(declaration(label) + body);
        let result = merge(&Sources { old: &old, base: None, new: &new }, &keep()).unwrap().document;
        assert!(result.bytes().windows(written.len()).any(|bytes| bytes == written), "{label}");
    }
}

#[test]
fn a_section_that_the_new_file_keeps_elsewhere_is_not_filled() {
    let old = settings("S", &setting("n", "<value>1</value>"));
    let new = configuration(r#"<applicationSettings><S configSource="s.config"/></applicationSettings>"#);
    let (result, changes) = merged(&old, None, &new, &keep());
    assert_eq!(result, new);
    assert!(is_reported(&changes, "applicationSettings/S/n"));
}
