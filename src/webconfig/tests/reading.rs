//! What is read, and what is refused.

use super::{samples::*, *};

fn refused(bytes: impl Into<Vec<u8>>) -> ConfigError {
    Document::parse(bytes.into(), "web.config").unwrap_err()
}

#[test]
fn every_form_is_read_alike_and_gives_its_bytes_back() {
    let expected = parsed(edited()).values().unwrap();
    for form in FORMS {
        let bytes = stored(&edited(), form);
        let document = parsed(bytes.clone());
        assert_eq!(document.values().unwrap(), expected, "{form:?}");
        assert_eq!(document.bytes(), bytes);
        assert_eq!(document.apply(Vec::new()).unwrap().bytes(), bytes, "{form:?}");
        assert_eq!(check(&bytes, "web.config"), Ok(()));
    }
}

#[test]
fn values_are_read_as_the_application_reads_them() {
    let values = parsed(edited()).values().unwrap();
    assert_eq!(values.app_setting("web_service_sdk_authentication_password"), Some(PASSWORD));
    assert_eq!(values.app_settings.len(), 4);
    assert_eq!(values.settings[0].section, "pfup.Properties.Settings");
    assert_eq!(values.theme.as_deref(), Some("Contoso"));
    let url = "https://mfa.contoso.test/phonefactorwebservicesdk/PfWsSdk.asmx".to_owned();
    assert_eq!(parsed(edited()).sdk_url(), Some(("pfup_pfwssdk_PfWsSdk".to_owned(), url)));
    let namespaced = SHIPPED
        .replace("<configuration>", r#"<configuration xmlns="http://schemas.microsoft.com/.NetConfiguration/v2.0">"#);
    assert_eq!(parsed(namespaced).values(), parsed(SHIPPED).values());
}

#[test]
fn hostile_files_are_refused_before_they_cost_anything() {
    let doctype = "<!DOCTYPE configuration [<!ENTITY a \"b\">]><configuration/>";
    assert!(matches!(refused(doctype), ConfigError::DocType { .. }));
    let nested = |depth| format!("<configuration>{}{}</configuration>", "<a>".repeat(depth), "</a>".repeat(depth));
    assert!(matches!(refused(nested(256)), ConfigError::Limit { .. }));
    assert!(matches!(refused("<configuration>".to_owned() + &"<a>".repeat(1_000_000)), ConfigError::Limit { .. }));
    let attributes = |count| {
        let all: String = (0..count).map(|number| format!(" a{number}=''")).collect();
        format!("<configuration><x{all}/></configuration>")
    };
    assert!(matches!(refused(attributes(257)), ConfigError::Limit { .. }));
    assert!(matches!(refused(attributes(100_000)), ConfigError::Limit { .. }));
    // The same declaration may stand in any number of elements, but not any number of them at one place.
    let namespaces = |count| format!("<configuration>{}</configuration>", "<a xmlns='u' xmlns:x='v'/>".repeat(count));
    let prefixes: String = (0..2000).map(|number| format!("<a xmlns:x{number}='u'/>")).collect();
    assert!(matches!(refused(format!("<configuration>{prefixes}</configuration>")), ConfigError::Limit { .. }));
    let many: String = (0..200).map(|number| format!(" xmlns:x{number}='u'")).collect();
    let file = format!("<configuration{many}>{}</configuration>", "<a xmlns:x='u'/>".repeat(10_000));
    assert!(matches!(refused(file), ConfigError::Limit { .. }));

    let deepest = parsed(nested(255));
    let other = parsed(nested(255).replace("<a></a>", "<a b='c'></a>"));
    let sources = Sources { old: &other, base: Some(&deepest), new: &deepest };
    assert_eq!(
        merge(&sources, &keep()).unwrap().document.bytes(),
        other.bytes().iter().map(|byte| if *byte == b'\'' { b'"' } else { *byte }).collect::<Vec<_>>()
    );
    assert!(!masked_diff(&deepest, &other, 3).is_empty());
    parsed(attributes(256));
    parsed(format!("<configuration>{}</configuration>", "<a></a>".repeat(1000)));
    parsed(namespaces(10_000));
}

#[test]
fn broken_bytes_are_refused_with_their_place() {
    assert!(matches!(refused(b"<configuration>\xFF</configuration>".to_vec()), ConfigError::Encoding { .. }));
    assert!(matches!(refused("<configuration>\0</configuration>"), ConfigError::Malformed { .. }));
    assert!(matches!(refused(b"\xFF\xFE<\0c\0".to_vec()), ConfigError::Malformed { .. }));
    assert!(matches!(refused(b"\xFF\xFE<".to_vec()), ConfigError::Encoding { .. }));
    assert!(matches!(refused(b"\xFF\xFE\x00\xD8".to_vec()), ConfigError::Encoding { .. }));
    for label in ["utf-16", "utf-7", "x-unknown", "iso-2022-kr"] {
        let text = format!("<?xml version='1.0' encoding='{label}'?><configuration/>");
        assert!(matches!(refused(text), ConfigError::Encoding { .. }), "{label}");
    }
    let shift_jis = b"<?xml version='1.0' encoding='shift_jis'?><configuration><!-- \x81 --></configuration>".to_vec();
    assert!(matches!(refused(shift_jis), ConfigError::Encoding { .. }));
    for text in
        ["", "<configuration>", "<configuration></a>", "<configuration a=1/>", "<configuration/><configuration/>"]
    {
        assert!(matches!(refused(text), ConfigError::Malformed { .. }), "{text}");
    }
    assert!(matches!(refused("<appSettings/>"), ConfigError::NotConfiguration { .. }));
    let error = refused("<configuration>\n  <a b='pass&word;'/>\n</configuration>");
    assert!(matches!(error, ConfigError::Malformed { line: 2, .. }), "{error}");
    assert!(!error.to_string().contains("word;"), "{error}");
}

#[test]
fn what_asp_net_refuses_is_found() {
    let faults = |text: &str| match check(text.as_bytes(), "web.config") {
        Err(ConfigError::Faulty { problems, .. }) => problems.len(),
        other => unreachable!("{other:?}"),
    };
    assert_eq!(
        faults(&SHIPPED.replace("<connectionStrings />", "<connectionStrings /><connectionStrings /><appSettings/>")),
        2
    );
    assert_eq!(faults(&SHIPPED.replace("<pages ", "<pages/><pages ")), 1);
    let section = r#"      <section name="pfup.Properties.Settings""#;
    assert_eq!(faults(&SHIPPED.replace(section, &format!("<section name='a'/><section name='a'/>{section}"))), 1);
    assert_eq!(faults(&SHIPPED.replace("<configSections>", "<connectionStrings/><configSections>")), 2);
}

/// What is wrong with a file.
fn problems(text: &str) -> Vec<String> {
    match check(text.as_bytes(), "web.config") {
        Ok(()) => Vec::new(),
        Err(ConfigError::Faulty { problems, .. }) => problems,
        Err(error) => unreachable!("{error}"),
    }
}

#[test]
fn a_section_that_nobody_declares_is_found_wherever_it_is_used() {
    let of = |declared: &str, used: &str| {
        problems(&configuration(&format!("<configSections>{declared}</configSections>{used}")))
    };
    let section = "<section name='own'/>";
    let group = |inner: &str| format!("<sectionGroup name='g'>{inner}</sectionGroup>");
    for (declared, used) in [
        ("", ""),
        ("", "<own/>"),
        (section, "<own/><own2/>"),
        ("", "<g><own/></g>"),
        (&group(""), "<g><own/></g>"),
        (&group(section), "<g><own/></g><own/>"),
        ("", "<location path='x'><own/></location>"),
        ("", "<system.web><own/></system.web>"),
    ] {
        assert_eq!(of(declared, used).len(), usize::from(!used.is_empty()), "{declared} {used}");
    }
    for (declared, used) in [
        (section, "<own><x/></own><location path='x'><own/></location>"),
        (&group(section), "<g><own/></g><g/>"),
        ("<sectionGroup name='system.web'><section name='own'/></sectionGroup>", "<system.web><own/></system.web>"),
        ("", "<runtime><assemblyBinding xmlns='urn:schemas-microsoft-com:asm.v1'><x/></assemblyBinding></runtime>"),
        ("", "<system.webServer><rewrite/><x/></system.webServer><system.serviceModel><x/></system.serviceModel>"),
        ("", "<system.web><pages/></system.web><system.web><trace/><caching><outputCache/></caching></system.web>"),
        (
            "",
            "<location><system.web><xhtmlConformance/></system.web></location><system.net><mailSettings/></system.net>",
        ),
    ] {
        assert!(of(declared, used).is_empty(), "{declared} {used}: {:?}", of(declared, used));
    }
    let transform = "xmlns:xdt='http://schemas.microsoft.com/XML-Document-Transform'";
    assert!(problems(&format!("<configuration {transform}><own xdt:Transform='Remove'/></configuration>")).is_empty());
    let twice = of(section, "<own/><own/><runtime/><runtime/>");
    assert_eq!(twice, ["own is given more than once", "runtime is given more than once"]);
}

#[test]
fn an_address_that_is_none_is_found() {
    let of = |url: &str| problems(&SHIPPED.replace("http://localhost:4898/PfWsSdk.asmx", url)).len();
    assert_eq!(of("http://localhost:4898/PfWsSdk.asmx"), 0);
    assert_eq!(of("https://mfa.contoso.test/x/PfWsSdk.asmx"), 0);
    assert_eq!(of("mfa.contoso.test/x/PfWsSdk.asmx"), 1);
}

#[test]
fn only_what_the_merge_brought_is_held_against_it() {
    let (new, worse) = (configuration("<own/>"), configuration("<own/><other/>"));
    let [new, worse] = [new, worse].map(|text| parsed(text.as_str()));
    assert!(check_merged(&new, &new, &Default::default()).is_ok());
    let error = check_merged(&worse, &new, &Default::default()).unwrap_err();
    assert!(matches!(error, ConfigError::Faulty { problems, .. } if problems.len() == 1));
}

#[test]
fn what_has_to_lie_beside_the_file_is_looked_for() {
    let file = parsed(configuration(
        "<appSettings file='may.config'/><connectionStrings configSource='c.config'/>\
         <system.web><pages theme='Own' styleSheetTheme=''/></system.web>",
    ));
    let of =
        |there: &[&str]| missing(&file, &|path: &str| -> Result<bool, ()> { Ok(there.contains(&path)) }).unwrap().len();
    assert_eq!([of(&[]), of(&["c.config"]), of(&["c.config", "App_Themes\\Own"])], [2, 1, 0]);
    assert_eq!(missing(&file, &|_: &str| Err("the disk is gone")), Err("the disk is gone"));
}

#[test]
fn what_would_cost_the_most_is_refused() {
    let laughs = "<!DOCTYPE l [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]><configuration>&b;</configuration>";
    assert!(matches!(refused(laughs), ConfigError::DocType { .. }));
    assert!(matches!(refused(vec![b' '; (4 << 20) + 1]), ConfigError::Limit { .. }));
    let mixed: Vec<u8> = [&b"\xFF\xFE"[..], b"<\0c\0>\0", b"<configuration/>"].concat();
    assert!(matches!(refused(mixed), ConfigError::Malformed { .. }));
    assert!(matches!(refused("<configuration>a\0b</configuration>"), ConfigError::Malformed { .. }));
    let nul = "<?xml version='1.0'?>\0<configuration/>";
    assert!(matches!(refused(nul), ConfigError::Malformed { .. }));
}

/// Two halves of a character were once read as two others, and written so.
#[test]
fn references_to_what_is_no_character_are_refused() {
    for reference in ["&#xD83D;&#xDE00;", "&#x110000;", "&#0;", "&#x1F;", "&#xFFFE;", "&#99999999999;", "&#;", "&#xG;"]
    {
        for text in [format!("<x a=\"1\" b='{reference}'/>"), format!("<x>\n {reference}</x>")] {
            let error = refused(configuration(&text));
            assert!(matches!(error, ConfigError::Malformed { line: 2 | 3, .. }), "{text}: {error}");
        }
    }
    for text in
        ["<x a='&#x9;&#10;&#x1F600;'>&#xFFFD;&#65;</x>", "<!-- &#0; -->", "<x><![CDATA[&#0;]]></x>", "<?x &#0; ?>"]
    {
        assert!(
            check(configuration(text).replace("<x", "<runtime").replace("</x", "</runtime").as_bytes(), "w").is_ok()
        );
    }
}
