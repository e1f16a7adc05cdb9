//! What others found to be silently something else: two readers of such files that nobody here wrote.

use super::*;

/// Merges what stands in `<configuration>`, both sides alike.
fn strictly(old: &str, base: &str, new: &str) -> (String, Vec<Change>) {
    let rules = Rules { strict: true, ..keep() };
    let [old, base, new] = [old, base, new].map(configuration);
    let (result, changes) = merged(&old, Some(&base), &new, &rules);
    let [result_document, new] = [&result, &new].map(|text| parsed(text.as_str()));
    check_merged(&result_document, &new, &rules.declared_above).unwrap();
    assert_eq!(merged(&old, Some(&base), &result, &rules).0, result);
    (result, changes)
}

/// The new file stays as it is, and one line says so.
fn by_hand([old, base, new]: [&str; 3], path: &str) {
    let (result, changes) = strictly(old, base, new);
    assert!(result == configuration(new) && changes.len() == 1, "{result} {changes:#?}");
    assert!(is_reported(&changes, path));
}

fn conflict([old, base, new]: [&str; 3], path: &str) {
    let (_, changes) = strictly(old, base, new);
    assert_eq!(fate(&changes, path), &Fate::Conflict { taken: None });
}

fn within(path: &str, inner: &str) -> String {
    path.rsplit('/').fold(inner.to_owned(), |inner, tag| format!("<{tag}>{inner}</{tag}>"))
}

fn strings(inner: &str) -> String {
    within("connectionStrings", inner)
}

fn rules(inner: &str) -> String {
    within("system.webServer/rewrite/rules", inner)
}

const A: &str = r#"<add name="a" connectionString="1"/>"#;
const B: &str = r#"<add name="b" connectionString="1"/>"#;
const N: &str = r#"<add name="n" connectionString="1"/>"#;

#[test]
fn a_comment_and_a_value_open_one_empty_section() {
    let old = "<appSettings><add key=\"a\" value=\"1\"/>\n<!-- why --></appSettings>";
    let (result, changes) = strictly(old, "<appSettings/>", "<appSettings/>");
    let expected = "<appSettings>\n  <add key=\"a\" value=\"1\" />\n  <!-- why -->\n</appSettings>";
    assert_eq!((result, changes.len()), (configuration(expected), 2));
    // A setting without a value, and a comment in it.
    let of = |inner: &str| within("applicationSettings/S", inner);
    let shipped = of(r#"<setting name="n" serializeAs="String"/>"#);
    let old = of(r#"<setting name="n" serializeAs="String"><value>1</value><!-- why --></setting>"#);
    let (result, _) = strictly(&old, &shipped, &shipped);
    assert!(result.contains("<value>1</value>") && result.contains("<!-- why -->"), "{result}");
}

#[test]
fn a_section_comes_along_where_a_file_further_up_declares_it() {
    let log = "<log4net><level value=\"INFO\"/></log4net>";
    by_hand([log, "", ""], "log4net");
    let [old, base] = [log, ""].map(configuration);
    let rules = Rules { declared_above: ["log4net".to_owned()].into(), ..keep() };
    let (result, changes) = merged(&old, Some(&base), &base, &rules);
    assert_eq!(fate(&changes, "log4net"), &Fate::Added);
    assert!(check_merged(&parsed(result), &parsed(base), &rules.declared_above).is_ok());
    let machine = r#"<configSections><section name="log4net" type="t"/><sectionGroup name="g"><section name="s" type="t"/>
        </sectionGroup></configSections>"#;
    let declared: Vec<String> = declared_sections(&parsed(configuration(machine))).into_iter().collect();
    assert_eq!(declared, ["g/s", "log4net"]);
}

#[test]
fn another_placeholder_in_the_place_of_a_placeholder_is_no_change() {
    let of = |url: &str| {
        let setting =
            format!("<setting name=\"p_pfwssdk_PfWsSdk\" serializeAs=\"String\"><value>{url}</value>\n</setting>");
        within("applicationSettings/S", &setting)
    };
    let own = of("https://mfa.fabrikam.com/Sdk/PfWsSdk.asmx");
    let shipped = [of("http://localhost:4898/PfWsSdk.asmx"), of("https://www.contoso.com/x/PfWsSdk.asmx")];
    let (result, changes) = strictly(&own, &shipped[0], &shipped[1]);
    assert_eq!((result, &changes[0].fate), (configuration(&own), &Fate::Carried));
    assert_eq!(strictly(&shipped[0], &shipped[0], &shipped[1]).0, configuration(&shipped[1]));
}

#[test]
fn encrypted_is_what_holds_encrypted_data_and_was_changed() {
    let named = format!("<connectionStrings configProtectionProvider=\"p\">{A}</connectionStrings>");
    assert!(strictly(&named, "<connectionStrings/>", "<connectionStrings/>").0.contains(r#"name="a""#));
    let encrypted = "<connectionStrings configProtectionProvider=\"p\"><EncryptedData/></connectionStrings>";
    assert_eq!(strictly(encrypted, encrypted, &strings(N)).0, configuration(&strings(N)));
    let [old, base] = [encrypted, &strings(A)].map(|inner| parsed(configuration(inner)));
    let error = merge(&Sources { old: &old, base: Some(&base), new: &base }, &keep()).unwrap_err();
    assert!(matches!(error, ConfigError::Encrypted { .. }), "{error}");
}

#[test]
fn what_takes_back_never_takes_back_what_the_new_version_has() {
    let clear = |more: &str| strings(&format!("<remove name=\"L\"/><clear/>{A}{more}"));
    let (result, _) = strictly(&clear(""), &strings(A), &strings(N));
    assert_eq!(result, configuration(&strings(&format!("<remove name=\"L\"/><clear/>{N}"))));
    by_hand([&clear(""), &strings(A), &strings(&format!("{N}{A}"))], "connectionStrings");
    // The order of what takes back and what adds.
    let [old, base] = [format!("<clear/>{A}{B}"), format!("{A}<clear/>{B}")].map(|inner| strings(&inner));
    by_hand([&old, &base, &base], "connectionStrings");
    // Behind a <clear> with an end tag the readers of the .NET Framework skip the rest.
    by_hand([&strings(&format!("{A}{B}")), &strings(A), &strings(&format!("<clear></clear>{A}"))], "connectionStrings");
    // A `remove` takes back by key with defaults, and only by key.
    let errors = |inner: &str| within("system.webServer/httpErrors", inner);
    let own = r#"<error statusCode="404" path="own"/>"#;
    let remove = r#"<remove statusCode="404" subStatusCode="-1"/>"#;
    assert_eq!(
        strictly(&errors(own), &errors(""), &errors(remove)).0,
        configuration(&errors(&format!("{remove}{own}")))
    );
    let access = |inner: &str| within("system.webServer/security/authorization", inner);
    let bob = r#"<add accessType="Allow" users="bob"/>"#;
    let remove = r#"<remove users="bob" roles="" verbs=""/>"#;
    assert_eq!(
        strictly(&access(bob), &access(""), &access(remove)).0,
        configuration(&access(&format!("{remove}{bob}")))
    );
}

#[test]
fn a_group_in_two_parts_is_left_to_the_administrator() {
    let web = |inner: &str| within("system.web", inner);
    let trace = web(r#"<trace enabled="true"/>"#);
    let [own, shipped] = ["own", "a"].map(|theme| web(&format!("<pages theme=\"{theme}\"/>")));
    by_hand([&(own.clone() + &trace), &shipped, &shipped], "system.web");
    by_hand([&own, &shipped, &(shipped.clone() + &trace)], "system.web");
    // What the administrator removed from the first part is in the second one.
    let both = web("<pages theme=\"a\"/><trace enabled=\"true\"/>");
    by_hand([&shipped, &both, &(shipped.clone() + &trace)], "system.web");
    let at = |path: &str, inner: &str| format!("<location path=\"{path}\">{inner}</location>");
    let [two, one] = [at("a", &own) + &at("a", &trace), at("a", &shipped)];
    by_hand([&two, &one, &one], "location[a]");
    assert!(strictly(&two, &two, &one).1.is_empty());
    // `admin/` is `admin`.
    let deny = |users: &str| within("system.web/authorization", &format!("<deny users=\"{users}\"/>"));
    let (result, _) = strictly(&at("admin/", &deny("*")), &at("admin/", &deny("?")), &at("admin", &deny("?")));
    assert_eq!(result, configuration(&at("admin", &deny("*"))));
    // A group of which a part is inside of a location for the whole application.
    let part = |theme: &str| at(".", &web(&format!("<pages theme=\"{theme}\"/>"))) + &trace;
    assert_eq!(strictly(&part("own"), &part("a"), &part("a")).0, configuration(&part("own")));
}

#[test]
fn what_is_written_is_told() {
    let of =
        |note: &str, value: &str| format!("<appSettings>{note}\n  <add key=\"a\" value=\"{value}\"/>\n</appSettings>");
    let (result, changes) = strictly(&of("\n  <!-- note -->", "2"), &of("", "1"), &of("", "2"));
    assert_eq!(result, configuration(&of("\n  <!-- note -->", "2")));
    assert_eq!(fate(&changes, "appSettings/comment()"), &Fate::Added);
    // Values in the place of a reference to another file.
    let source = "<connectionStrings configSource=\"a.config\"/>";
    let (result, changes) = strictly(&strings(A), source, source);
    assert_eq!(result, configuration(&strings(A)));
    assert_eq!(fate(&changes, "connectionStrings/add[a]"), &Fate::Added);
    conflict([&strings(A), source, &strings(N)], "connectionStrings");
    // A line that was put into a comment is not there twice, live and dead.
    let dead = |live: &str| strings(&format!("\n  <!-- {A} -->\n{live}"));
    let (result, changes) = strictly(&dead(""), &strings(A), &strings(&A.replace('1', "2")));
    assert!(changes.iter().any(Change::is_undecided) && !result.contains("<!--"), "{result} {changes:?}");
}

#[test]
fn an_item_with_another_key_is_another_item() {
    let https = r#"<rule name="To HTTPS"><match url=".*"/><action type="Redirect" url="https"/></rule>"#;
    let inside =
        r#"<rule name="Only from inside"><match url=".*"/><action type="CustomResponse" statusCode="403"/></rule>"#;
    let off = https.replace("HTTPS\"", "HTTPS\" enabled=\"false\"");
    let (result, changes) = strictly(&rules(inside), &rules(https), &rules(&off));
    assert_eq!(fate(&changes, "system.webServer/rewrite/rules/rule[To HTTPS]"), &Fate::Conflict { taken: None });
    assert_eq!(fate(&changes, "system.webServer/rewrite/rules/rule[Only from inside]"), &Fate::Added);
    assert!(result.contains(inside) && result.contains(&off), "{result}");
    for (path, item, other) in [
        (
            "system.webServer/httpErrors",
            r#"<error statusCode="404" path="a"/>"#,
            r#"<error statusCode="403" path="a"/>"#,
        ),
        (
            "system.webServer/staticContent",
            r#"<mimeMap fileExtension=".a" mimeType="m"/>"#,
            r#"<mimeMap fileExtension=".b" mimeType="m"/>"#,
        ),
        (
            "system.webServer/rewrite/rewriteMaps/rewriteMap",
            r#"<add key="a" value="1"/>"#,
            r#"<add key="A" value="1"/>"#,
        ),
    ] {
        let (result, _) = strictly(&within(path, other), &within(path, item), &within(path, item));
        assert_eq!(result, configuration(&within(path, other)));
    }
}

#[test]
fn a_default_is_a_value() {
    let https = r#"<rule name="r"><match url=".*"/></rule>"#;
    let off = https.replace("\"r\"", "\"r\" enabled=\"false\"");
    conflict([&rules(https), &rules(""), &rules(&off)], "system.webServer/rewrite/rules/rule[r]/@enabled");
    let on = https.replace("\"r\"", "\"r\" enabled=\"true\"");
    assert!(strictly(&rules(https), &rules(""), &rules(&on)).1.iter().all(|change| change.fate == Fate::AlreadySo));
    assert_eq!(strictly(&rules(https), &rules(&off), &rules(&off)).0, configuration(&rules(https)));
    // IIS locks this list; where it does not, it says so, too.
    let address = r#"<add ipAddress="10.1.0.0" subnetMask="255.255.0.0"/>"#;
    let allowed = address.replace("/>", " allowed=\"true\"/>");
    let of = |inner: &str| within("system.webServer/security/ipSecurity", inner);
    by_hand([&of(address), &of(""), &of(&allowed)], "system.webServer/security/ipSecurity");
    let of = |inner: &str| within("system.webServer/ipSecurity", inner);
    let path = "system.webServer/ipSecurity/add[ipAddress=10.1.0.0,subnetMask=255.255.0.0]/@allowed";
    conflict([&of(address), &of(""), &of(&allowed)], path);
    // Present against absent is a difference, whatever the attribute.
    let error = r#"<error statusCode="404" path="a"/>"#;
    let of = |inner: &str| within("system.webServer/httpErrors", inner);
    let more = error.replace("/>", " responseMode=\"ExecuteURL\"/>");
    conflict([&of(error), &of(""), &of(&more)], "system.webServer/httpErrors/error[404]/@responseMode");
    // So are conditions of a rule that only one side has.
    let with = https.replace("</rule>", "<conditions><add input=\"a\" pattern=\"b\"/></conditions></rule>");
    conflict([&rules(https), &rules(""), &rules(&with)], "system.webServer/rewrite/rules/rule[r]");
}

#[test]
fn what_the_administrator_put_first_stays_first() {
    let access = |inner: &str| within("system.web/authorization", inner);
    let (bob, anyone, admins) = (r"<deny users='FABRIKAM\bob'/>", "<deny users='?'/>", "<allow roles='Admins'/>");
    let base = access(&[anyone, admins].concat());
    let (old, new) = (access(&[bob, anyone, admins].concat()), access(&[admins, anyone].concat()));
    by_hand([&old, &base, &new], "system.web/authorization");
    let [in_old, in_base, in_new] = [&old, &base, &new].map(|inner| format!("<location path=\"a\">{inner}</location>"));
    by_hand([&in_old, &in_base, &in_new], "location[a]/system.web/authorization");
    assert_eq!(strictly(&old, &base, &base).0, configuration(&old));
}

#[test]
fn each_setting_is_read_by_the_net_framework() {
    let of = |inner: &str| within("applicationSettings/S", inner);
    let setting = |name: &str, end: &str| {
        format!("<setting name=\"{name}\" serializeAs=\"String\"><value>1</value>{end}</setting>")
    };
    let (old, new) = (of(&(setting("a", "") + &setting("b", ""))), of(&setting("a", "")));
    assert_eq!(strictly(&old, &new, &new).0, configuration(&of(&(setting("a", " ") + &setting("b", " ")))));
    let error = check(configuration(&old).as_bytes(), "web.config").unwrap_err().to_string();
    assert!(error.contains("the setting a needs a space"), "{error}");
}

#[test]
fn white_space_in_an_attribute_is_a_value() {
    let of = |value: &str| format!("<appSettings><add key=\"a\" value=\"{value}\"/></appSettings>");
    for (written, is) in
        [("1\t2", "1&#x9;2"), ("1\n2", "1&#xA;2"), ("1\r\n2", "1&#xD;&#xA;2"), ("&amp;\t'", "&amp;&#x9;'")]
    {
        let spaced = is.replace("&#xD;&#xA;", " ").replace("&#xA;", " ").replace("&#x9;", " ");
        let (result, changes) = strictly(&of(written), &of(&spaced), &of(&spaced));
        assert_eq!((result, &changes[0].fate), (configuration(&of(is)), &Fate::Carried), "{written:?}");
        let page = |theme: &str| within("system.web", &format!("<pages theme=\"{theme}\"/>"));
        assert_eq!(strictly(&page(written), &page(&spaced), &page(&spaced)).0, configuration(&page(is)));
    }
}

#[test]
fn bytes_are_what_the_declaration_says() {
    let of = |declaration: &str, value: &[u8]| {
        let head = format!("<?xml {declaration}?><configuration><appSettings><add key=\"a\" value=\"");
        [head.as_bytes(), value, b"\" /></appSettings></configuration>"].concat()
    };
    let latin = "version=\"1.0\" encoding=\"iso-8859-1\"";
    let marked = |declaration: &str, value: &[u8]| [&[0xEF, 0xBB, 0xBF], &*of(declaration, value)].concat();
    let (old, base) = (parsed(marked(latin, "é".as_bytes())), parsed(of(latin, b"1")));
    assert_eq!(old.values().unwrap().app_setting("a"), Some("Ã©"));
    let new = parsed(marked(latin, b"1"));
    let result = merge(&Sources { old: &old, base: Some(&base), new: &new }, &keep()).unwrap().document;
    assert_eq!(result.bytes(), marked(latin, "é".as_bytes()));
    for (bytes, why) in [
        (of("version=\"1.0\" encoding=\"UTF8\"", b""), "`UTF8`, which ASP.NET does not know"),
        (of("version=\"1.1\"", b""), "XML 1.1, which ASP.NET does not read"),
        (
            [0xFEFF]
                .into_iter()
                .chain("<?xml version=\"1.0\" encoding=\"utf-8\"?><a/>".encode_utf16())
                .flat_map(u16::to_le_bytes)
                .collect(),
            "UTF-16 but declares utf-8",
        ),
    ] {
        let error = Document::parse(bytes, "web.config").unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn an_attribute_of_the_outermost_element_is_told_like_any_other() {
    let of = |value: &str| format!("<configuration a=\"{value}\" />\n");
    let rules = Rules { strict: true, ..keep() };
    let (result, changes) = merged(&of("1"), Some(&of("2")), &of("3"), &rules);
    assert_eq!(result, of("3"));
    assert_eq!(fate(&changes, "/@a"), &Fate::Conflict { taken: None });
}
