//! What lies outside the two value sections, and what the merge cannot see.

use super::{samples::*, *};

fn web(inner: &str) -> String {
    configuration(&format!("  <system.web>\n    {inner}\n  </system.web>"))
}

#[test]
fn theme_and_custom_errors_are_added_where_the_new_file_lacks_them() {
    let old = web(r#"<x/><pages theme="A&amp;B"/><customErrors mode="Off"/>"#);
    let expected = web("<x/>\n    <pages theme=\"A&amp;B\" />\n    <customErrors mode=\"Off\" />");
    assert_eq!(merged(&old, None, &web("<x/>"), &keep()).0, expected);
    assert_eq!(merged(&old, Some(&web("<x/>")), &web("<x/>"), &keep()).0, expected.replace(" />", "/>"));
    let (result, changes) = merged(&old, None, "<configuration/>", &keep());
    assert_eq!(result, "<configuration/>");
    assert!(is_reported(&changes, "system.web/pages/@theme"));
    let rules = Rules { theme: ThemeRule::KeepNew, other_changes: OtherChanges::Report, ..keep() };
    let (result, changes) = merged(&old, None, &web("<x/>"), &rules);
    assert_eq!(result, web("<x/>"));
    assert!(is_superseded(&changes, "system.web/pages/@theme"));
    assert!(is_reported(&changes, "system.web/customErrors/@mode"));
}

#[test]
fn a_change_is_carried_only_where_the_new_file_still_has_what_was_shipped() {
    let of = |timeout: &str| web(&format!(r#"<sessionState timeout="{timeout}"/>"#));
    let path = "system.web/sessionState/@timeout";
    let (result, changes) = merged(&of("40"), Some(&of("20")), &of("20"), &keep());
    assert_eq!((result, fate(&changes, path)), (of("40"), &Fate::Carried));
    let (result, changes) = merged(&of("40"), Some(&of("20")), &of("30"), &keep());
    assert_eq!(result, of("30"));
    assert_eq!(fate(&changes, path), &Fate::Conflict { taken: None });
    assert_eq!(fate(&merged(&of("40"), Some(&of("20")), &of("40"), &keep()).1, path), &Fate::AlreadySo);
    let rules = Rules { other_changes: OtherChanges::Report, ..keep() };
    assert!(is_reported(&merged(&of("40"), Some(&of("20")), &of("20"), &rules).1, path));
    let (result, changes) = merged(&of("40"), Some(&web("<sessionState/>")), &web("<sessionState />"), &keep());
    assert_eq!((result, fate(&changes, path)), (web(r#"<sessionState timeout="40" />"#), &Fate::Added));
    assert!(is_reported(&merged(&of("40"), Some(&of("20")), &web(""), &keep()).1, path));
    let (result, changes) = merged(&web("<sessionState/>"), Some(&of("20")), &of("20"), &keep());
    assert_eq!((result, fate(&changes, path)), (web("<sessionState/>"), &Fate::Removed));
}

#[test]
fn an_element_of_the_administrators_own_is_put_where_it_stood() {
    let of = |rules: &str| web(&format!("<authorization>\n      {rules}\n    </authorization>"));
    let (deny, allow) = (r#"<deny users="*"/>"#, "<allow roles=\"a\"/>");
    let shipped = of(deny);
    let old = of(&format!("{allow}\n      {deny}"));
    let (result, changes) = merged(&old, Some(&shipped), &shipped, &keep());
    assert_eq!((result, fate(&changes, "system.web/authorization/allow[roles=a]")), (old.clone(), &Fate::Added));
    // Before what it stood before, whatever else is new there; where the order of the two would mean something, that
    // is for somebody to decide.
    let new = |text: &str| text.replace(deny, &format!("<x/>\n      {deny}"));
    assert_eq!(merged(&old, Some(&shipped), &new(&shipped), &keep()).0, new(&shipped));
    let elsewhere = |text: &str| text.replace("authorization", "browserCaps");
    let (old_list, list) = (elsewhere(&old), elsewhere(&shipped));
    assert_eq!(
        merged(&old_list, Some(&list), &new(&list), &keep()).0,
        elsewhere(&of(&format!("<x/>\n      {allow}\n      {deny}")))
    );
    // With everything in it, and in the new file's line ends.
    let section = "<location path=\"p\">\n    <!-- ours -->\n    <a b='1'>t</a>\n  </location>";
    let with = |inner: &str| configuration(&format!("  <configSections />\n{inner}  <system.web />"));
    let (old, plain) = (with(&format!("  {section}\n")), with(""));
    let new = plain.replace('\n', "\r\n");
    assert_eq!(merged(&old, Some(&plain), &new, &keep()).0, old.replace('\n', "\r\n"));
}

#[test]
fn a_section_that_nobody_declares_is_not_added() {
    let declared = r#"<configSections><section name="own"/></configSections>"#;
    let of = |declared: &str, own: &str| configuration(&format!("{declared}{own}"));
    let new = of("<configSections/>", "");
    let (result, changes) = merged(&of(declared, "<own/>"), Some(&of(declared, "")), &new, &keep());
    assert_eq!(result, new);
    assert!(is_reported(&changes, "own"));
    let (result, _) = merged(&of(declared, "<own/>"), Some(&of(declared, "")), &of(declared, ""), &keep());
    assert_eq!(result, of(declared, "\n<own/>"));
}

#[test]
fn what_the_administrator_removed_is_taken_out() {
    let of = |more: &str| web(&format!("<trace enabled=\"false\" />{more}"));
    let more = "\n    <sessionState timeout=\"20\">\n      <x/>\n    </sessionState>";
    let path = "system.web/sessionState";
    let (result, changes) = merged(&of(""), Some(&of(more)), &of(more), &keep());
    assert_eq!((result, fate(&changes, path)), (of(""), &Fate::Removed));
    let changed = more.replace("20", "30");
    let (result, changes) = merged(&of(""), Some(&of(more)), &of(&changed), &keep());
    assert_eq!((result, fate(&changes, path)), (of(&changed), &Fate::Conflict { taken: None }));
    let rules = Rules { on_conflict: OnConflict::KeepOld, ..keep() };
    let (result, changes) = merged(&of(""), Some(&of(more)), &of(&changed), &rules);
    assert_eq!((result, fate(&changes, path)), (of(""), &Fate::Conflict { taken: Some(Side::Old) }));
}

#[test]
fn text_is_carried_like_an_attribute() {
    let of = |text: &str| web(&format!("<note>{text}</note>"));
    let path = "system.web/note/text()";
    let (result, changes) = merged(&of("a &lt; b"), Some(&of("x")), &of("x"), &keep());
    assert_eq!((result, fate(&changes, path)), (of("a &lt; b"), &Fate::Carried));
    let (result, changes) = merged(&of("a"), Some(&of("x")), &of("y"), &keep());
    assert_eq!((result, fate(&changes, path)), (of("y"), &Fate::Conflict { taken: None }));
    let rules = Rules { on_conflict: OnConflict::KeepOld, ..keep() };
    assert_eq!(merged(&of("a"), Some(&of("x")), &of("y"), &rules).0, of("a"));
    let mixed = |text: &str| of(&format!("{text}<b/>"));
    let (result, changes) = merged(&mixed("a"), Some(&mixed("x")), &mixed("x"), &keep());
    assert_eq!((result, fate(&changes, path)), (mixed("a"), &Fate::Carried));
    assert!(is_reported(&merged(&mixed("a"), Some(&mixed("x")), &mixed("y"), &keep()).1, path));
}

#[test]
fn values_are_in_conflict_only_where_both_sides_count_alike() {
    let of = |value: &str| configuration(&format!(r#"<appSettings><add key="a" value="{value}"/></appSettings>"#));
    let (old, base, new) = (of("1"), of("2"), of("3"));
    assert_eq!(merged(&old, Some(&base), &new, &keep()).0, old);
    let strict = |on_conflict| Rules { strict: true, on_conflict, ..keep() };
    let (result, changes) = merged(&old, Some(&base), &new, &strict(OnConflict::Stop));
    assert_eq!((result, fate(&changes, "appSettings/a")), (new.clone(), &Fate::Conflict { taken: None }));
    assert_eq!(merged(&old, Some(&base), &new, &strict(OnConflict::KeepOld)).0, old);
    assert_eq!(merged(&old, Some(&base), &new, &strict(OnConflict::KeepNew)).0, new);
    assert_eq!(merged(&old, Some(&base), &base, &strict(OnConflict::Stop)).0, old);
}

#[test]
fn elements_are_told_apart_by_what_names_them() {
    let list = |a: &str, b: &str| web(&format!(r#"<l><add name="a" v="{a}"/><add name="b" v="{b}"/></l>"#));
    let new = web(r#"<l><add name="b" v="1"/><add name="a" v="1"/></l>"#);
    let (result, changes) = merged(&list("1", "2"), Some(&list("1", "1")), &new, &keep());
    assert_eq!(result, new.replacen('1', "2", 1));
    assert_eq!(fate(&changes, "system.web/l/add[b]/@v"), &Fate::Carried);
    let twice = web(r#"<l><add name="b" v="1"/><add name="b" v="1"/></l>"#);
    let (result, changes) = merged(&list("1", "2"), Some(&list("1", "1")), &twice, &keep());
    assert_eq!(result, twice);
    assert!(is_reported(&changes, "system.web/l/add[name=b,v=1]/@v"));
}

/// Edits of the shipped file, each with the path it must be accounted for under.
pub(super) const EDITS: [(&str, &str, &str); 16] = [
    (
        r#"key="USE_WEB_SERVICE_SDK" value="false""#,
        r#"key="USE_WEB_SERVICE_SDK" value="true""#,
        "appSettings/USE_WEB_SERVICE_SDK",
    ),
    (
        "  </appSettings>",
        "    <add key=\"SSL_REQUIRED\" value=\"false\"/>\n  </appSettings>",
        "appSettings/SSL_REQUIRED",
    ),
    ("<appSettings>", "<appSettings>\n    <clear/>", "appSettings/clear"),
    (
        r#"<add key="WEB_SERVICE_SDK_AUTHENTICATION_USERNAME" value="" />"#,
        "",
        "appSettings/WEB_SERVICE_SDK_AUTHENTICATION_USERNAME",
    ),
    ("http://localhost:4898/", "https://h/", "applicationSettings/pfup.Properties.Settings/pfup_pfwssdk_PfWsSdk"),
    (
        "<connectionStrings />",
        r#"<connectionStrings><add name="x" connectionString="y"/></connectionStrings>"#,
        "connectionStrings/add[x]",
    ),
    (r#"debug="false">"#, r#"debug="true">"#, "system.web/compilation/@debug"),
    (r#"loginUrl="login.aspx""#, r#"loginUrl="in.aspx""#, "system.web/authentication/forms/@loginUrl"),
    (r#"mode="Forms""#, r#"mode="Windows""#, "system.web/authentication/@mode"),
    (r#"<deny users="?" />"#, r#"<allow users="?" />"#, "system.web/authorization/allow[users=?]"),
    (r#"<pages theme="Default" />"#, "<pages />", "system.web/pages/@theme"),
    (r#"<customErrors mode="RemoteOnly" />"#, r#"<customErrors mode="Off" />"#, "system.web/customErrors/@mode"),
    (r#"<sessionState timeout="20" />"#, "", "system.web/sessionState"),
    ("  </system.web>", "    <trace/>\n  </system.web>", "system.web/trace"),
    ("  </system.web>", "    <note>text</note>\n  </system.web>", "system.web/note"),
    (
        "  <system.web>",
        "  <location path=\"x\"><system.web><trace enabled=\"true\"/></system.web></location>\n  <system.web>",
        "location[x]",
    ),
];

#[test]
fn each_edit_of_the_shipped_file_is_accounted_for_once() {
    for (from, to, path) in EDITS {
        assert_eq!(SHIPPED.matches(from).count(), 1, "{from}");
        let (_, changes) = merged(&SHIPPED.replace(from, to), Some(SHIPPED), NEW, &keep());
        fate(&changes, path);
    }
}

#[test]
fn what_belongs_to_the_new_version_is_never_copied() {
    let of = |inner: &str| {
        configuration(&format!(
            r#"<system.webServer><handlers><add name="a" path="{inner}"/></handlers></system.webServer>"#
        ))
    };
    let (result, changes) = merged(&of("y"), Some(&of("x")), &of("x"), &keep());
    assert_eq!(result, of("x"));
    assert!(is_reported(&changes, "system.webServer/handlers/add[a]/@path"));
}

#[test]
fn another_order_is_carried_where_the_new_version_kept_the_old_one() {
    let of = |rules: &[&str]| web(&format!("<authorization>\n      {}\n    </authorization>", rules.join("\n      ")));
    let (a, b, c) = (r#"<allow users="a"/>"#, r#"<deny users="*"/> <!-- all -->"#, r#"<allow users="c"/>"#);
    let path = "system.web/authorization/(order)";
    let (base, old) = (of(&[a, b, c]), of(&[c, a, b]));
    let (result, changes) = merged(&old, Some(&base), &base, &keep());
    assert_eq!((&result, fate(&changes, path)), (&old, &Fate::Carried));
    assert_eq!(fate(&merged(&old, Some(&base), &old, &keep()).1, path), &Fate::AlreadySo);
    // What the new version added stays where it is; that nothing comes to its other side unasked is for rules only.
    let v = r#"<deny verbs="PUT"/>"#;
    let new = of(&[a, v, b, c]);
    let (result, changes) = merged(&old, Some(&base), &new, &keep());
    assert_eq!((&result, fate(&changes, path)), (&new, &Fate::Conflict { taken: None }));
    let rules = Rules { on_conflict: OnConflict::KeepOld, ..keep() };
    assert_eq!(merged(&old, Some(&base), &new, &rules).0, of(&[c, v, a, b]));
    assert_eq!(merged(&old, Some(&base), &of(&[v, a, b, c]), &keep()).0, of(&[v, c, a, b]));
    let list = |text: &str| text.replace("authorization", "list");
    assert_eq!(merged(&list(&old), Some(&list(&base)), &list(&new), &keep()).0, list(&of(&[c, v, a, b])));
    // What the administrator added stays beside what it was put beside.
    let x = r#"<allow roles="x"/>"#;
    let (result, _) = merged(&of(&[c, x, a, b]), Some(&base), &base, &keep());
    assert_eq!(result, of(&[c, x, a, b]));
    let other = of(&[b, a, c]);
    let (result, changes) = merged(&old, Some(&base), &other, &keep());
    assert_eq!((&result, fate(&changes, path)), (&other, &Fate::Conflict { taken: None }));
    assert_eq!(merged(&old, Some(&base), &other, &rules).0, old);
}

#[test]
fn elements_that_nothing_tells_apart_are_carried_where_the_new_version_left_them_alone() {
    let of = |items: &[&str]| web(&format!("<list>{}</list>", items.concat()));
    let (a, b, c) = ("<item><x>a</x></item>", "<item><x>b</x></item>", "<item><x>c</x></item>");
    let (base, old) = (of(&[a, b]), of(&[c, b, a]));
    assert_eq!(merged(&old, Some(&base), &base, &keep()).0, old);
    let new = of(&[a, b, a]);
    let (result, changes) = merged(&old, Some(&base), &new, &keep());
    assert_eq!(result, new);
    assert!(is_reported(&changes, "system.web/list/item/x/text()"));
    // By place, where there are as many in all files.
    let more = |items: &[&str]| of(items).replace("</list>", "<new/></list>");
    assert_eq!(merged(&of(&[c, b]), Some(&base), &more(&[a, b]), &keep()).0, more(&[c, b]));
}

#[test]
fn a_name_does_not_tell_apart_what_is_there_only_once() {
    let of = |name: &str, timeout: &str| {
        web(&format!(r#"<authentication mode="Forms"><forms name="{name}" timeout="{timeout}"/></authentication>"#))
    };
    let (result, changes) = merged(&of(".OWN", "20"), Some(&of(".AUTH", "20")), &of(".AUTH", "30"), &keep());
    assert_eq!(result, of(".OWN", "30"));
    assert_eq!(fate(&changes, "system.web/authentication/forms/@name"), &Fate::Carried);
    // A section is a section, whatever it is named.
    let of = |name: &str, value: &str| {
        configuration(&format!(r#"<appSettings{name}><add key="k" value="{value}"/></appSettings>"#))
    };
    assert_eq!(merged(&of(" name='x'", "2"), Some(&of("", "1")), &of("", "1"), &keep()).0, of(" name=\"x\"", "2"));
}

#[test]
fn comments_go_along_with_what_they_speak_of() {
    let of =
        |lines: &[&str]| configuration(&format!("  <appSettings>\n    {}\n  </appSettings>", lines.join("\n    ")));
    let key = |key: &str, value: &str| format!(r#"<add key="{key}" value="{value}"/>"#);
    let (a, changed, b, own) = (key("a", "1"), key("a", "2"), key("b", "1"), key("own", "1"));
    let base = of(&["<!-- shipped -->", &a, &b]);
    let behind = format!("{own} <!-- behind -->");
    let old = of(&["<!-- shipped -->", "<!-- why\n         and when -->", &changed, &b, "<!-- mine -->", &behind]);
    let new = of(&["<!-- shipped, reworded -->", &a, &b, &key("v", "1")]);
    let (result, _) = merged(&old, Some(&base), &new, &keep());
    let expected = of(&[
        "<!-- shipped, reworded -->",
        "<!-- why\n         and when -->",
        &changed,
        &b,
        "<!-- mine -->",
        &behind,
        &key("v", "1"),
    ]);
    assert_eq!(result, expected);
    assert_eq!(merged(&old, Some(&base), &result, &keep()).0, result);
    // One on nothing that changed comes along, too; one of the old version does not.
    let old = of(&["<!-- shipped -->", &a, "<!-- note -->", &b]);
    let expected = of(&["<!-- shipped, reworded -->", &a, "<!-- note -->", &b, &key("v", "1")]);
    let (result, changes) = merged(&old, Some(&base), &new, &keep());
    assert_eq!((result, fate(&changes, "appSettings/comment()")), (expected, &Fate::Added));
    let old = of(&["<!-- shipped -->", &changed, &b]);
    assert!(!merged(&old, Some(&base), &new, &keep()).0.contains("shipped -->"));
    // Elsewhere the same.
    let of = |more: &str, tail: &str, timeout: &str| {
        web(&format!("{more}<sessionState timeout=\"{timeout}\" />{tail}\n    <!-- z --><z />"))
    };
    let comment = "<!-- slow clients -->\n    ";
    let old = of(comment, " <!-- in minutes -->", "40");
    assert_eq!(merged(&old, Some(&of("", "", "20")), &of("", "", "20"), &keep()).0, old);
    let old = web("<trace /> <!-- t -->\n    <!-- ours -->\n    <identity /> <!-- x -->");
    let shipped = web("<trace /> <!-- t -->");
    assert_eq!(merged(&old, Some(&shipped), &shipped, &keep()).0, old);
    // What was removed takes its comment with it.
    let (with, without) = (web("<a />\n    <!-- on b -->\n    <b /> <!-- b -->\n    <c />"), web("<a />\n    <c />"));
    assert_eq!(merged(&without, Some(&with), &with, &keep()).0, without);
}

#[test]
fn values_in_other_files_are_told_and_encrypted_ones_refused() {
    let old = configuration(
        r#"<appSettings file="m.config"><add key="a" value="1"/></appSettings><connectionStrings configSource="c"/>"#,
    );
    let (result, changes) = merged(&old, Some(&old), "<configuration/>", &keep());
    assert_eq!(result, "<configuration/>");
    assert!(is_reported(&changes, "appSettings/@file") && is_reported(&changes, "connectionStrings/@configSource"));
    assert!(merged(&old, Some(&old), &old, &keep()).1.is_empty());

    let new = configuration(r#"<appSettings configSource="a.config"/>"#);
    let (result, changes) = merged(&old, None, &new, &keep());
    assert_eq!(result, new);
    assert!(is_reported(&changes, "appSettings/a"));

    let encrypted = configuration(
        r#"<appSettings configProtectionProvider="RsaProtectedConfigurationProvider"><EncryptedData/></appSettings>"#,
    );
    let (encrypted, plain) = (parsed(encrypted), parsed("<configuration/>"));
    for (old, new) in [(&encrypted, &plain), (&plain, &encrypted)] {
        let error = merge(&Sources { old, base: None, new }, &keep()).unwrap_err();
        assert!(matches!(error, ConfigError::Encrypted { sections, .. } if sections == ["appSettings"]));
    }
    let twice = parsed("<configuration><appSettings/><appSettings/></configuration>");
    let error = merge(&Sources { old: &twice, base: None, new: &plain }, &keep()).unwrap_err();
    assert!(matches!(error, ConfigError::Faulty { .. }));
}

/// Found by fuzzing: text beside the values, and values in two places at once.
#[test]
fn no_two_changes_of_one_place_are_made() {
    let of = |text: &str, value: &str| {
        let setting = super::merging::setting("n", &format!("<value>{value}</value>"));
        configuration(&format!("<applicationSettings><S>{setting}{text}</S></applicationSettings>"))
    };
    let (result, changes) = merged(&of("note", "2"), Some(&of("", "1")), &of("", "1"), &keep());
    assert_eq!(result, of("", "2"));
    assert!(is_reported(&changes, "applicationSettings/S/text()"));
    let of = |source: &str, value: &str| {
        configuration(&format!("<appSettings{source}><add key='a' value='{value}'/></appSettings>"))
    };
    let (result, changes) = merged(&of(" configSource='c'", "2"), Some(&of("", "1")), &of("", "1"), &keep());
    assert_eq!(result, of("", "1").replace("'1'", "'2'"));
    assert!(is_reported(&changes, "appSettings/@configSource"));
    let root = |text: &str, value: &str| {
        configuration(&format!("<appSettings><add key='a' value='{value}'/></appSettings>{text}"))
    };
    assert_eq!(merged(&root("note", "2"), Some(&root("", "1")), &root("", "1"), &keep()).0, root("", "2"));
}

/// Found by chance: what takes a key back may itself be taken out, unless that would bring a key back.
#[test]
fn taking_back_what_takes_back_brings_nothing_back() {
    let of = |keys: &str| configuration(&format!("<appSettings>{keys}</appSettings>"));
    let (a, b, remove) = ("<add key='a'/>", "<add key='b'/>", "<remove key='a'/>");
    let new = of(&format!("{b}{remove}{remove}"));
    assert_eq!(merged(&of(""), Some(&of(&format!("{remove}{b}"))), &new, &keep()).0, of(""));
    let new = of(&format!("{a}{remove}{b}"));
    let (result, changes) = merged(&of(b), Some(&of(&format!("{remove}{b}"))), &new, &keep());
    assert_eq!(result, new);
    assert!(is_reported(&changes, "appSettings/remove[a]"));
}

/// Found by fuzzing: the text could be written only after the element beside it was gone.
#[test]
fn text_in_the_place_of_an_element_is_carried_or_reported_once() {
    let (old, base) = (web("<l><m>t</m></l>"), web("<l><m><n/></m></l>"));
    assert_eq!(merged(&old, Some(&base), &base, &keep()).0, old);
    let new = web("<l><m own=\"1\"><n/></m></l>");
    let (_, changes) = merged(&old, Some(&base), &new, &keep());
    assert!(is_reported(&changes, "system.web/l/m/text()"));
}

#[test]
fn a_section_that_the_new_version_keeps_in_another_file_stays_empty() {
    let of = |inner: &str| configuration(&format!("  <system.net>{inner}</system.net>"));
    let (base, old) = (
        of(r#"<mailSettings a="1"><add name="x"/></mailSettings>"#),
        of(r#"<mailSettings a="2"><add name="x"/><add name="y"/></mailSettings>"#),
    );
    let new = of(r#"<mailSettings configSource="mail.config"/>"#);
    let (result, changes) = merged(&old, Some(&base), &new, &keep());
    assert_eq!(result, new);
    assert!(changes.len() == 2 && is_reported(&changes, "system.net/mailSettings/add[y]"), "{changes:#?}");
    assert!(is_reported(&changes, "system.net/mailSettings/@a"));
}

#[test]
fn a_section_that_two_locations_of_one_path_hold_is_found() {
    let of = |sections: [&str; 2]| {
        let location = |inner: &str| format!("<location path=\"a\">{inner}</location>");
        check(configuration(&sections.map(location).concat()).as_bytes(), "merged")
    };
    let (a, b) = ("<system.web><trace/></system.web>", "<system.webServer><urlCompression/></system.webServer>");
    assert!(of([a, b]).is_ok());
    assert!(of([b, b]).unwrap_err().to_string().contains("location[a]/system.webServer/urlCompression"));
    let cache = "<system.web><caching><outputCache/></caching></system.web>";
    assert!(of([cache, cache]).unwrap_err().to_string().contains("system.web/caching/outputCache"));
}
