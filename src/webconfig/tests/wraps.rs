//! Sections in a `<location>` that is no place of its own.

use super::*;

const OPEN: &str = r#"<location path="." inheritInChildApplications="false">"#;

fn around(open: &str, sections: &str) -> String {
    format!("  {open}\n{sections}\n  </location>")
}

fn web(inner: &str) -> String {
    format!("  <system.web>\n    {inner}\n  </system.web>")
}

fn strictly(old: &str, base: &str, new: &str, on_conflict: OnConflict) -> (String, Vec<Change>) {
    let rules = Rules { strict: true, on_conflict, ..keep() };
    let (result, changes) = merged(old, Some(base), new, &rules);
    assert_eq!(merged(old, Some(base), &result, &rules).0, result);
    let [result_document, new] = [result.as_str(), new].map(parsed);
    assert!(check_merged(&result_document, &new, &Default::default()).is_ok(), "{result}");
    (result, changes)
}

const STOP: OnConflict = OnConflict::Stop;

#[test]
fn what_the_administrator_has_put_around_a_section_comes_around_it() {
    let (base, server) = (web("<pages theme=\"a\" />"), "  <system.webServer>\n    <x />\n  </system.webServer>");
    for open in [OPEN, "<location>", "<location path=''\n allowOverride='false'>"] {
        let of = |web: &str| configuration(&around(open, web));
        let (old, base) = (of(&base), configuration(&base));
        let (result, changes) = strictly(&old, &base, &base, STOP);
        assert_eq!((result, changes.len()), (old.clone(), 1));
        assert_eq!(fate(&changes, "system.web/(location)"), &Fate::Added);
        // What the new version changed in the section is changed, and what it ships beside it stands there.
        let new = base.replace("\"a\"", "\"b\"").replace("</configuration>", "  <runtime />\n</configuration>");
        let expected = old.replace("\"a\"", "\"b\"").replace("</configuration>", "  <runtime />\n</configuration>");
        assert_eq!(strictly(&old, &base, &new, STOP).0, expected);
        assert_eq!(strictly(&base, &base, &old, STOP).0, old);
    }
    // Several sections in one are in one again, unless the new version has put something between them.
    let of = |sections: &[&str]| configuration(&sections.join("\n"));
    let old = configuration(&around(OPEN, &[base.as_str(), server].join("\n")));
    let (result, changes) = strictly(&old, &of(&[&base, server]), &of(&[&base, server]), STOP);
    assert_eq!((result, changes.len()), (old.clone(), 2));
    let (result, _) = strictly(&old, &of(&[&base, server]), &of(&[&base, "  <runtime />", server]), STOP);
    assert_eq!(result, of(&[&around(OPEN, &base), "  <runtime />", &around(OPEN, server)]));
    let crlf = |text: &str| text.replace('\n', "\r\n");
    assert_eq!(strictly(&old, &of(&[&base, server]), &crlf(&of(&[&base, server])), STOP).0, crlf(&old));
}

#[test]
fn no_location_comes_into_another() {
    let (web, server) = (web("<pages theme=\"a\" />"), "  <system.webServer>\n    <x />\n  </system.webServer>");
    let path = "  <location path=\"admin\">\n    <system.web>\n      <authorization>\n        <deny users=\"?\" />\n      \
         </authorization>\n    </system.web>\n  </location>";
    let of = |sections: &[&str]| configuration(&sections.join("\n"));
    let (web_in, server_in) = (around(OPEN, &web), around(OPEN, server));
    let both = around(OPEN, &[web.as_str(), server].join("\n"));
    let base = of(&[&web, server]);
    // Each stands in one of its own, and what stood between them does so again.
    let old = of(&[&web_in, path, &server_in]);
    assert_eq!(strictly(&old, &base, &base, STOP).0, old);
    // In the new version they stand the other way round.
    for old in [of(&[&web_in, path, &server_in]), of(&[&both, path]), of(&[path, &both])] {
        strictly(&old, &base, &of(&[server, &web]), STOP);
        // The new version has put them into one.
        strictly(&old, &base, &of(&[&both]), OnConflict::KeepOld);
        strictly(&old, &base, &of(&[&both]), OnConflict::KeepNew);
    }
    let nested = of(&[&around(OPEN, &[web.as_str(), path].join("\n"))]);
    let error = check(nested.as_bytes(), "nested").unwrap_err().to_string();
    assert!(error.contains("a location stands within another one"), "{error}");
    let nested = of(&[&around("<location path=\"a\">", path)]);
    assert!(check(nested.as_bytes(), "nested").is_err());
}

#[test]
fn values_inside_are_those_of_the_section() {
    let of = |theme: &str, trace: &str| web(&format!("<pages theme=\"{theme}\" />\n    <trace enabled=\"{trace}\" />"));
    let base = configuration(&of("a", "false"));
    let old = configuration(&around(OPEN, &of("b", "false")));
    let (result, changes) = strictly(&old, &base, &configuration(&of("a", "true")), STOP);
    assert_eq!(result, configuration(&around(OPEN, &of("b", "true"))));
    assert_eq!(fate(&changes, "system.web/pages/@theme"), &Fate::Carried);
    let new = configuration(&of("c", "false"));
    assert_eq!(fate(&strictly(&old, &base, &new, STOP).1, "system.web/pages/@theme"), &Fate::Conflict { taken: None });
    let (result, _) = strictly(&old, &base, &new, OnConflict::KeepNew);
    assert_eq!(result, configuration(&around(OPEN, &of("c", "false"))));
    let keys = |inner: &str| format!("  <appSettings>\n    {inner}\n  </appSettings>");
    let (a, b) = (r#"<add key="a" value="1" />"#, r#"<add key="b" value="1" />"#);
    let (result, changes) = strictly(
        &configuration(&around(OPEN, &keys(&[a, b].join("\n    ")))),
        &configuration(&keys(a)),
        &configuration(&keys(a)),
        STOP,
    );
    assert_eq!(result, configuration(&around(OPEN, &keys(&[a, b].join("\n    ")))));
    assert_eq!(fate(&changes, "appSettings/b"), &Fate::Added);
}

#[test]
fn tags_that_were_taken_away_or_changed_are_so_in_the_new_file() {
    let sections = web("<pages theme=\"a\" />");
    let (with, without) = (configuration(&around(OPEN, &sections)), configuration(&sections));
    let (result, changes) = strictly(&without, &with, &with.replace("\"a\"", "\"b\""), STOP);
    assert_eq!(result, without.replace("\"a\"", "\"b\""));
    assert_eq!(fate(&changes, "system.web/(location)"), &Fate::Removed);
    let changed = with.replace("inherit", "allowOverride=\"false\" inherit");
    assert_eq!(strictly(&changed, &with, &with, STOP).0, changed);
    let other = with.replace("\"false\"", "\"true\"");
    let (result, changes) = strictly(&changed, &with, &other, STOP);
    assert_eq!((&result, fate(&changes, "system.web/(location)")), (&other, &Fate::Conflict { taken: None }));
    assert_eq!(strictly(&changed, &with, &other, OnConflict::KeepOld).0, changed);
    // Around other sections as well they are not for one of them to change.
    let two = configuration(&around(OPEN, &format!("{sections}\n  <runtime />")));
    let (result, changes) = strictly(&configuration(&format!("{sections}\n  <runtime />")), &two, &two, STOP);
    assert_eq!(result, two);
    assert!(is_reported(&changes, "system.web/(location)") && is_reported(&changes, "runtime/(location)"));
    // Without the file as shipped nobody knows who it was.
    let (result, changes) = merged(&with, None, &without, &keep());
    assert_eq!(result, without);
    assert!(is_reported(&changes, "system.web/(location)"));
    let rules = Rules { other_changes: OtherChanges::Report, ..keep() };
    assert!(is_reported(&merged(&with, Some(&without), &without, &rules).1, "system.web/(location)"));
}

/// Found by a judge of the merge: the section stood twice in the result, and no application starts with that.
#[test]
fn a_section_never_comes_twice_for_one_place() {
    let shipped = web("<pages a=\"1\" />");
    let off = |mode: &str| format!("<customErrors mode=\"{mode}\" />");
    // A group of which only a part is inside stays as it is.
    let old = configuration(&[shipped.as_str(), &around(OPEN, &web(&off("Off")))].join("\n"));
    let base = configuration(&shipped);
    let (result, _) = strictly(&old, &base, &base, STOP);
    assert_eq!(result, old);
    let new = configuration(&web(&format!("<pages a=\"1\" />\n    {}", off("On"))));
    left_by_hand([&old, &base, &new], "location[.]");
    let twice = configuration(&[web(&off("On")), around("<location>", &web(&off("Off")))].join("\n"));
    let error = check(twice.as_bytes(), "web.config").unwrap_err();
    assert_eq!(
        error,
        ConfigError::Faulty {
            name: "web.config".to_owned(),
            problems: vec!["system.web/customErrors is given more than once".to_owned()],
        }
    );
    let apart = twice.replace("<location>", "<location path=\"admin\">");
    assert!(check(apart.as_bytes(), "web.config").is_ok());
}

#[test]
fn what_comes_beside_such_a_section_comes_beside_its_tags() {
    let shipped = web("<pages a=\"1\" />");
    let base = configuration(&shipped);
    let new = configuration(&around(OPEN, &shipped));
    let own = "  <location path=\"p\">\n    <system.web />\n  </location>";
    for old in [[shipped.as_str(), own], [own, &shipped]] {
        let expected = old.map(|part| if part == own { own.to_owned() } else { around(OPEN, &shipped) });
        let (result, _) = strictly(&configuration(&old.join("\n")), &base, &new, STOP);
        assert_eq!(result, configuration(&expected.join("\n")));
    }
}

/// Found by a judge of the merge: what was seen through in one file only counted as removed, and was lost.
#[test]
fn a_group_inside_and_outside_is_compared_as_it_is_or_refused() {
    let key = |value: &str| format!("  <appSettings>\n    <add key=\"k\" value=\"{value}\" />\n  </appSettings>");
    let inside = |value: &str| around(OPEN, &[key(value), web("<trace v=\"1\" />")].join("\n"));
    let base = configuration(&inside("1"));
    let old = configuration(&[web("<pages v=\"1\" />"), inside("2")].join("\n"));
    assert_eq!(strictly(&old, &base, &base, STOP).0, old);
    // What both files have inside is not brought back where the new version has dropped it.
    let new = configuration(&web("<pages v=\"1\" />"));
    let (result, _) = strictly(&old.replace("\"2\"", "\"1\""), &base, &new, STOP);
    assert_eq!(result, new);
    // What moved is left to the administrator, values too.
    let base = configuration(&[key("1"), web("<pages v=\"1\" />")].join("\n"));
    let old = configuration(&[web("<pages v=\"1\" />"), inside("3")].join("\n"));
    left_by_hand([&old, &base, &base], "appSettings");
    // Nothing stands in the way of a file that nobody changed.
    let (result, changes) = strictly(&old, &old, &old, STOP);
    assert!(result == old && changes.is_empty(), "{changes:?}");
}

/// The new file stays as it is, and that is said.
fn left_by_hand([old, base, new]: [&String; 3], path: &str) {
    let (result, changes) = strictly(old, base, new, STOP);
    assert_eq!(&result, new);
    assert!(is_reported(&changes, path), "{changes:?}");
}

#[test]
fn a_section_without_elements_is_not_lost_between_inside_and_outside() {
    let sections =
        r#"<configSections><section name="my" type="t"/><section name="dotless" type="t"/></configSections>"#;
    let (my, dotless) = (r#"<my a="1"/>"#, r#"<dotless cache="true"/>"#);
    let server = |inner: &str| format!("<system.webServer>{inner}</system.webServer>");
    let of = |inner: &[&str]| configuration(&format!("{sections}{}", inner.concat()));
    let split = [server("<urlCompression/>"), around("<location>", &server("<validation/>"))].concat();
    let (old, base, new) = (of(&[&around(OPEN, &[my, dotless].concat())]), of(&[dotless]), of(&[&split, my, dotless]));
    left_by_hand([&old, &base, &new], "dotless");
}
