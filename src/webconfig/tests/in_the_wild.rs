//! Shapes that the files of large applications have, and what administrators do to them.

use super::*;

fn web(inner: &str) -> String {
    configuration(&format!("  <system.web>\n    {inner}\n  </system.web>"))
}

fn server(inner: &str) -> String {
    configuration(&format!("  <system.webServer>\n    {inner}\n  </system.webServer>"))
}

fn keys(lines: &[&str]) -> String {
    configuration(&format!("  <appSettings>\n    {}\n  </appSettings>", lines.join("\n    ")))
}

/// The result of a merge in which both sides count alike; merged again it stays.
fn settled(old: &str, base: &str, new: &str, on_conflict: OnConflict) -> (String, Vec<Change>) {
    let rules = Rules { strict: true, on_conflict, ..keep() };
    let (result, changes) = merged(old, Some(base), new, &rules);
    assert_eq!(merged(old, Some(base), &result, &rules).0, result);
    (result, changes)
}

fn strictly(old: &str, base: &str, new: &str) -> (String, Vec<Change>) {
    settled(old, base, new, OnConflict::Stop)
}

const A: &str = r#"<add key="a" value="1"/>"#;
const B: &str = r#"<add key="b" value="1"/>"#;
const C: &str = r#"<add key="c" value="1"/>"#;
const V: &str = r#"<add key="v" value="1"/>"#;

#[test]
fn a_line_that_was_put_into_a_comment_comes_out_in_one() {
    let off = format!("<!--{B}-->");
    let (old, base, new) = (keys(&[A, &off, C]), keys(&[A, B, C]), keys(&[A, V, B, C]));
    let (result, changes) = strictly(&old, &base, &new);
    assert_eq!(result, keys(&[A, V, &off, C]));
    assert_eq!((changes.len(), fate(&changes, "appSettings/b")), (2, &Fate::Removed));
    assert_eq!(fate(&changes, "appSettings/comment()"), &Fate::Added);
    // Several in one comment.
    let off = format!("<!-- {A}\n    {B} -->");
    assert_eq!(strictly(&keys(&[&off, C]), &base, &new).0, keys(&[V, &off, C]));
    // Elsewhere the same, and with the note on it.
    let base = web("<trace enabled=\"true\" />\n    <xhtmlConformance mode=\"Strict\" />");
    let old = web("<!-- too much -->\n    <!--<trace enabled=\"true\" />-->\n    <xhtmlConformance mode=\"Strict\" />");
    assert_eq!(strictly(&old, &base, &base).0, old);
    // What the new version changed is decided first, and the comment goes with the line.
    let new = base.replace(r#"<trace enabled="true" />"#, r#"<trace enabled="true" localOnly="false" />"#);
    let old = web("<!--<trace enabled=\"true\" />-->\n    <xhtmlConformance mode=\"Strict\" />");
    let (result, changes) = strictly(&old, &base, &new);
    assert_eq!((result, fate(&changes, "system.web/trace")), (new.clone(), &Fate::Conflict { taken: None }));
    assert_eq!(settled(&old, &base, &new, OnConflict::KeepOld).0, old);
}

#[test]
fn a_line_that_was_taken_out_of_a_comment_comes_into_its_place() {
    let on = |what: &str| keys(&[A, "<!-- slower -->", what, C]);
    let comment = format!("<!-- {B} -->");
    let base = on(&comment);
    let (result, changes) = strictly(&on(B), &base, &base.replace(C, V));
    assert_eq!(result, on(r#"<add key="b" value="1" />"#).replace(C, V).replace(" />", "/>"));
    assert_eq!(fate(&changes, "appSettings/b"), &Fate::Added);
    assert_eq!(fate(&changes, "appSettings/comment()"), &Fate::Removed);
    let trust = |what: &str| web(&format!("<trace />\n    {what}\n    <pages />"));
    let (on, off) = (
        trust("<trust level=\"Medium\" />\n    <sessionState />"),
        trust("<!-- <trust level=\"Medium\" />\n    <sessionState /> -->"),
    );
    assert_eq!(strictly(&on, &off, &off).0, on);
}

#[test]
fn comments_are_differences_like_others() {
    let of = |note: &str| web(&format!("<trace />\n\n    {note}\n    <pages />"));
    let (result, changes) = strictly(&of("<!-- ours -->"), &of("<!-- theirs -->"), &of("<!-- theirs -->"));
    assert_eq!(result, of("<!-- ours -->"));
    assert_eq!(changes.iter().map(|change| &change.fate).collect::<Vec<_>>(), [&Fate::Added, &Fate::Removed]);
    assert!(changes.iter().all(|change| change.path.starts_with("system.web/comment()")));
    // What is taken away is a line; what stands around it stays as it is.
    let apart = |note: &str| web(&format!("<trace />\n\n    {note}\n\t<!-- odd -->\n\n    <pages />"));
    let (with, without) = (apart("<!-- theirs -->"), apart("<!-- theirs -->").replace("\n    <!-- theirs -->", ""));
    assert_eq!(strictly(&without, &with, &with).0, without);
    // Around the outermost element, too.
    let old = "<!-- by us -->\n".to_owned() + &of("");
    assert_eq!(strictly(&old, &of(""), &of("")).0, old);
    for old in [of("").trim_end().to_owned() + "\n<!-- by us -->\n", of("").trim_end().to_owned() + " <!-- by us -->\n"]
    {
        assert_eq!(strictly(&old, &of(""), &of("")).0, old);
    }
    // Not where nothing is ever copied; and a password in one is not shown.
    let own = |note: &str| web(&format!("<compilation>{note}</compilation>"));
    let (result, changes) = strictly(&own("<!-- ours -->"), &own(""), &own(""));
    assert_eq!(result, own(""));
    assert!(is_superseded(&changes, "system.web/compilation/comment()"));
    let (_, changes) = strictly(&of("<!-- password=\"x\" -->"), &of(""), &of(""));
    assert_eq!(changes[0].old, Shown::Masked);
}

/// A location that lost its path held for the whole application.
#[test]
fn what_stays_of_a_removed_location_stays_there() {
    let location = |path: &str| {
        configuration(&format!(
            "<location{path}><system.web><httpHandlers><clear/></httpHandlers><trace/></system.web></location>"
        ))
    };
    let base = location(" path=\"admin\"");
    for old in ["<configuration/>", &location(" path=\"other\"")] {
        let (result, changes) = strictly(old, &base, &base);
        assert!(result.contains(r#"<location path="admin"><system.web><httpHandlers><clear/></httpHandlers></sys"#));
        assert!(is_reported(&changes, "location[admin]/@path"));
    }
}

#[test]
fn names_compare_without_case() {
    let of = |name: &str, value: &str| {
        configuration(&format!(
            r#"<connectionStrings><add name="{name}" connectionString="{value}"/></connectionStrings>"#
        ))
    };
    assert_eq!(strictly(&of("Main", "2"), &of("Main", "1"), &of("main", "1")).0, of("main", "2"));
    let (result, changes) = strictly(&of("MAIN", "2"), "<configuration/>", &of("main", "1"));
    assert_eq!(result, of("main", "1"));
    assert!(changes.iter().any(Change::is_undecided));
}

#[test]
fn namesakes_are_told_apart_by_what_else_they_say() {
    let of = |level: &str, more: &str| {
        let rules = r#"<logger name="*" level="Info" writeTo="file"/><logger name="*" level="LEVEL" writeTo="mail"/>"#;
        configuration(&format!("<log><rules>{more}{}</rules></log>", rules.replace("LEVEL", level)))
    };
    let more = r#"<logger name="Own" level="Info"/>"#;
    assert_eq!(strictly(&of("Warn", ""), &of("Info", ""), &of("Info", more)).0, of("Warn", more));
    // Two locations of one path are left to the administrator.
    let of = |roles: &str, mode: &str, more: &str| {
        let one = format!(
            r#"<location path="a"><system.web><authorization><allow roles="{roles}"/>{more}</authorization></system.web></location>"#
        );
        let other = format!(
            r#"<location path="a"><system.webServer><httpErrors errorMode="{mode}"/></system.webServer></location>"#
        );
        configuration(&(one + &other))
    };
    let deny = r#"<deny users="*"/>"#;
    let new = of("A", "Custom", deny);
    let (result, changes) = strictly(&of("A", "Detailed", ""), &of("A", "Custom", ""), &new);
    assert!(result == new && changes.len() == 1 && is_reported(&changes, "location[a]"), "{changes:?}");
}

#[test]
fn an_item_of_which_something_changed_is_the_same_item() {
    let of = |pattern: &str, ignore: &str| {
        let add = format!(r#"<add input="{{HTTP_HOST}}" pattern="{pattern}" negate="true"{ignore}/>"#);
        server(&format!("<rewrite><rules><rule name=\"r\"><conditions>{add}</conditions></rule></rules></rewrite>"))
    };
    let case = r#" ignoreCase="false""#;
    let (result, changes) = strictly(&of("own", ""), &of("shipped", ""), &of("shipped", case));
    assert_eq!(result, of("own", case));
    assert_eq!((changes.len(), &changes[0].fate), (1, &Fate::Carried));
    // The error pages of a status and of its kinds are not the same.
    let of = |path: &str, more: &str| {
        let sub = r#"<error statusCode="500" subStatusCode="100" path="/asp"/>"#;
        server(&format!(r#"<httpErrors><error statusCode="500" path="{path}"/>{sub}{more}</httpErrors>"#))
    };
    let more = r#"<error statusCode="500" subStatusCode="19" path="/x"/>"#;
    assert_eq!(strictly(&of("/own", ""), &of("/500", ""), &of("/500", more)).0, of("/own", more));
}

#[test]
fn no_key_of_a_collection_is_made_twice() {
    let of = |allowed: &str| {
        server(&format!(
            "<security><requestFiltering><fileExtensions>{allowed}</fileExtensions></requestFiltering></security>"
        ))
    };
    let one = |allowed: &str| of(&format!(r#"<add fileExtension=".x" allowed="{allowed}"/>"#));
    assert_eq!(strictly(&one("true"), &one("false"), &one("false")).0, one("true"));
    let (result, changes) = strictly(&one("true"), &of(""), &one("false"));
    assert_eq!(result, one("false"));
    assert_eq!(changes.iter().filter(|change| change.is_undecided()).count(), 1, "{changes:#?}");
    // Nor is a section that an old file wrongly has twice.
    let twice = web(r#"<httpRuntime a="1"/><httpRuntime b="1"/>"#);
    let base = web(r#"<httpRuntime b="1"/><httpRuntime b="1"/>"#);
    let (result, changes) = strictly(&twice, &base, &web(r#"<httpRuntime b="2"/>"#));
    assert_eq!(result, web(r#"<httpRuntime b="2"/>"#));
    assert!(changes.iter().any(|change| matches!(change.fate, Fate::Reported { .. })));
}

#[test]
fn what_is_taken_back_is_not_what_comes_behind_it() {
    let of =
        |items: &[&str]| server(&format!("<staticContent>\n      {}\n    </staticContent>", items.join("\n      ")));
    let (svg, woff) =
        (r#"<mimeMap fileExtension=".svg" mimeType="s"/>"#, r#"<mimeMap fileExtension=".woff" mimeType="w"/>"#);
    let remove = r#"<remove fileExtension=".woff"/>"#;
    let (result, _) = strictly(&of(&[svg, remove, woff]), &of(&[svg]), &of(&[woff, svg]));
    assert_eq!(result, of(&[remove, woff, svg]));
}

#[test]
fn new_keys_stand_where_they_stood() {
    let own = r#"<add key="own" value="1"/>"#;
    let base = keys(&[A, "<!-- on c -->", C]);
    let new = keys(&[A, V, "<!-- on c -->", C, "<!-- end -->"]);
    let with = |lines: &[&str]| strictly(&keys(lines), &base, &new).0;
    assert_eq!(with(&[own, A, "<!-- on c -->", C]), keys(&[own, A, V, "<!-- on c -->", C, "<!-- end -->"]));
    assert_eq!(with(&[A, own, "<!-- on c -->", C]), keys(&[A, own, V, "<!-- on c -->", C, "<!-- end -->"]));
    assert_eq!(with(&[A, "<!-- on c -->", C, own]), keys(&[A, V, "<!-- on c -->", C, own, "<!-- end -->"]));
    // Behind the comment behind which it stood.
    let base = keys(&[A, "<!-- ours: -->"]);
    assert_eq!(strictly(&keys(&[A, "<!-- ours: -->", own]), &base, &base).0, keys(&[A, "<!-- ours: -->", own]));
    // A transform that takes a key out has no value.
    let of =
        |add: &str| format!("<configuration xmlns:xdt='urn:xdt'><appSettings>{A}{add}</appSettings></configuration>");
    let remove = r#"<add key="gone" xdt:Transform="Remove"/>"#;
    assert_eq!(strictly(&of(remove), &of(""), &of("")).0, of(remove));
}

#[test]
fn what_a_setting_holds_besides_its_value_is_not_lost() {
    let of = |kind: &str, note: &str| {
        let setting = format!(r#"<setting name="n" serializeAs="{kind}">{note}<value>1</value></setting>"#);
        configuration(&format!("<applicationSettings><S>{setting}</S></applicationSettings>"))
    };
    let (result, changes) = strictly(&of("String", "<!-- x -->"), &of("String", ""), &of("String", ""));
    assert_eq!((result, changes.len()), (of("String", "<!-- x -->"), 1));
    let (_, changes) = strictly(&of("Xml", ""), &of("String", ""), &of("String", ""));
    assert!(is_reported(&changes, "applicationSettings/S/n"));
}

/// Found by chance: what was left of one kind was taken for what had been there, and was removed in its turn.
#[test]
fn another_element_is_not_the_one_that_was_removed() {
    let of = |errors: &str| web(&format!("<customErrors>{errors}</customErrors>"));
    let error = |code: &str, page: &str| format!(r#"<error statusCode="{code}" redirect="{page}"/>"#);
    let (base, added) = (of(&error("404", "a")), error("500", "c"));
    let (result, _) = settled(&of(""), &base, &of(&(error("404", "b") + &added)), OnConflict::KeepOld);
    assert_eq!(result, of(&added));
}

/// Found by chance: a setting took the place of one that the administrator had removed.
#[test]
fn a_removed_setting_is_no_place_for_the_address() {
    let url = "<value>https://h/a/PfWsSdk.asmx</value>";
    let section = |name: &str, inner: &str| format!("<{name}>{inner}</{name}>");
    let setting = |name: &str| super::merging::setting(name, url);
    let of = |sections: &str| configuration(&format!("<applicationSettings>{sections}</applicationSettings>"));
    let both = section("A.S", &setting("x_pfwssdk_PfWsSdk")) + &section("B.S", &setting("x_pfwssdk_PfWsSdk"));
    let base = of(&("<A.S></A.S>".to_owned() + &section("B.S", &setting("x_pfwssdk_PfWsSdk"))));
    let (result, _) = strictly(&of(&section("C.T", &setting("n"))), &base, &of(&both));
    assert!(!result.contains("<B.S><setting"), "{result}");
}

/// Whoever is let in is decided by the first rule that fits.
#[test]
fn what_takes_the_place_of_something_stands_where_that_stood() {
    let of = |rules: &[&str]| web(&format!("<authorization>\n      {}\n    </authorization>", rules.join("\n      ")));
    let (nobody, anonymous) = (r#"<deny users="*" />"#, r#"<deny users="?" />"#);
    let (all, some) = (r#"<allow users="*" />"#, r#"<allow roles="A" />"#);
    let base = of(&[anonymous]);
    assert_eq!(strictly(&of(&[nobody]), &base, &of(&[anonymous, all])).0, of(&[nobody, all]));
    assert_eq!(strictly(&of(&[some, nobody]), &base, &of(&[anonymous, all])).0, of(&[some, nobody, all]));
    assert_eq!(strictly(&of(&[nobody]), &base, &of(&[some, anonymous])).0, of(&[some, nobody]));
    let base = of(&[all, anonymous, some]);
    let new = of(&[all, V, anonymous, V, some]);
    assert_eq!(strictly(&of(&[all, nobody, some]), &base, &new).0, of(&[all, V, nobody, V, some]));
    // Where the new version has dropped it as well, it stands behind what it stood behind.
    assert_eq!(strictly(&of(&[all, nobody, some]), &base, &of(&[all, some, V])).0, of(&[all, nobody, some, V]));
}

#[test]
fn what_takes_back_stands_before_what_the_administrator_added() {
    for head in ["<clear />", r#"<remove key="own" />"#] {
        let own = r#"<add key="own" value="x"/>"#;
        let (old, base) = (keys(&[head, own, V]), keys(&[V]));
        assert_eq!(strictly(&old, &base, &base).0, old);
        assert_eq!(strictly(&old, &base, &keys(&[V, A])).0, keys(&[head, own, V, A]));
    }
}

/// A page for one error was once made that of another, and the settings of one binding were given to another.
#[test]
fn an_item_of_another_key_is_another_item_also_where_there_is_one_only() {
    let error = |code: &str, path: &str| {
        server(&format!(r#"<httpErrors><error statusCode="{code}" path="{path}" /></httpErrors>"#))
    };
    let new = error("500", "/a");
    let (result, changes) = strictly(&error("404", "/own"), &error("404", "/a"), &new);
    assert_eq!(result, new);
    assert!(is_reported(&changes, "system.webServer/httpErrors/error[404]/@path"));
    for (tag, other) in [("binding", "maxBufferSize"), ("endpoint", "address"), ("user", "password"), ("rule", "url")] {
        let of =
            |name: &str, value: &str| server(&format!(r#"<list><{tag} name="{name}" {other}="{value}" /></list>"#));
        let new = of("b", "1");
        assert_eq!(strictly(&of("a", "2"), &of("a", "1"), &new).0, new);
        assert_eq!(settled(&of("c", "2"), &of("a", "1"), &of("b", "1"), OnConflict::KeepNew).1.len(), 2);
        // Renamed by the administrator it is the same.
        assert_eq!(strictly(&of("c", "1"), &of("a", "1"), &of("a", "1")).0, of("c", "1"));
    }
    let forms = |name: &str, timeout: &str| {
        web(&format!(r#"<authentication><forms name="{name}" timeout="{timeout}" /></authentication>"#))
    };
    assert_eq!(strictly(&forms("a", "2"), &forms("a", "1"), &forms("b", "1")).0, forms("b", "2"));
}

#[test]
fn what_the_new_version_takes_back_does_not_take_back_what_the_administrator_added() {
    let of =
        |items: &[&str]| server(&format!("<customHeaders>\n      {}\n    </customHeaders>", items.join("\n      ")));
    let (x, c) = (r#"<add name="x" value="1" />"#, r#"<add name="c" value="1" />"#);
    for taking in [r#"<remove name="X" />"#, "<clear />"] {
        assert_eq!(strictly(&of(&[x, c]), &of(&[c]), &of(&[c, taking])).0, of(&[c, taking, x]));
        assert_eq!(strictly(&of(&[x, c]), &of(&[c]), &of(&[taking, c])).0, of(&[taking, x, c]));
        // Where the administrator has it so, it is so.
        assert_eq!(strictly(&of(&[x, taking, c]), &of(&[taking, c]), &of(&[taking, c, A])).0, of(&[x, taking, c, A]));
    }
}

#[test]
fn rules_that_both_sides_put_at_one_place_are_a_conflict() {
    let of = |rules: &[&str]| web(&format!("<authorization>\n      {}\n    </authorization>", rules.join("\n      ")));
    let (nobody, all, some) = (r#"<deny users="*" />"#, r#"<allow users="*" />"#, r#"<allow roles="A" />"#);
    for base in [vec![], vec![some]] {
        let with = |rule| [&base[..], &[rule]].concat();
        let (old, base, new) = (of(&with(nobody)), of(&base), of(&with(all)));
        let (result, changes) = strictly(&old, &base, &new);
        let path = "system.web/authorization/deny[users=*]";
        assert_eq!((&result, fate(&changes, path)), (&new, &Fate::Conflict { taken: None }));
        let result = settled(&old, &base, &new, OnConflict::KeepOld).0;
        assert!(result.find(nobody) < result.find(all), "{result}");
        // The same on both sides is none.
        assert_eq!(strictly(&old, &base, &old).0, old);
    }
    // Elsewhere than the new version's they are none.
    assert_eq!(strictly(&of(&[nobody, some]), &of(&[some]), &of(&[some, all])).0, of(&[nobody, some, all]));
}

/// Somebody was once let in whom both sides kept out.
#[test]
fn no_rule_comes_to_the_other_side_of_one_unasked() {
    let of = |rules: &[&str]| web(&format!("<authorization>\n      {}\n    </authorization>", rules.join("\n      ")));
    let (all, bob, staff) = (r#"<allow users="*" />"#, r#"<deny users="bob" />"#, r#"<allow roles="Staff" />"#);
    let (nobody, admins) = (r#"<deny users="?" />"#, r#"<allow roles="Admins" />"#);
    // A place that was left is behind what the administrator wants before it.
    assert_eq!(strictly(&of(&[bob, staff]), &of(&[all]), &of(&[all, bob])).0, of(&[bob, staff]));
    assert_eq!(strictly(&of(&[nobody, all]), &of(&[staff]), &of(&[staff, nobody])).0, of(&[nobody, all]));
    // The new version has put what it stands between into another order.
    let new = of(&[staff, admins]);
    let (result, changes) = strictly(&of(&[admins, bob, staff]), &of(&[admins, staff]), &new);
    let path = "system.web/authorization/deny[users=bob]";
    assert_eq!((&result, fate(&changes, path)), (&new, &Fate::Conflict { taken: None }));
    // It comes out of a comment that stands behind what it was put before.
    let comment = format!("<!-- {nobody} -->");
    let old = of(&[nobody, all]);
    assert_eq!(strictly(&old, &of(&[&comment]), &of(&[all, &comment])).0, old);
    // What takes back a rule goes with the rule.
    let of = |rules: &[&str]| configuration(&format!("<rewrite><rules>{}</rules></rewrite>", rules.concat()));
    let [b, c, d] = ["b", "c", "d"].map(|name| format!("<rule name=\"{name}\"/>"));
    let remove = r#"<remove name="c"/>"#;
    let (old, base, new) = (of(&[remove, &c, &b]), of(&[&b]), of(&[&d, &b]));
    assert_eq!(strictly(&old, &base, &new).0, new);
    assert_eq!(settled(&old, &base, &new, OnConflict::KeepOld).0, of(&[remove, &c, &d, &b]));
    assert_eq!(settled(&old, &base, &new, OnConflict::KeepNew).0, new);
}

/// The page with the errors of an application was once left open to everybody.
#[test]
fn what_guards_something_that_stays_is_not_taken_away_unasked() {
    let handlers = r#"<httpHandlers><add verb="GET" path="elmah.axd" type="E" /></httpHandlers>"#;
    let guarded = format!("{handlers}<authorization><deny users=\"*\" /></authorization>");
    let of = |inner: &str| {
        configuration(&format!("  <location path=\"elmah.axd\"><system.web>{inner}</system.web></location>"))
    };
    let (old, base) = (configuration("  <runtime />"), of(&guarded).replace("<location", "<runtime /><location"));
    let (result, changes) = strictly(&old, &base, &base);
    assert_eq!((&result, fate(&changes, "location[elmah.axd]")), (&base, &Fate::Conflict { taken: None }));
    assert_eq!(settled(&old, &base, &base, OnConflict::KeepNew).0, base);
    assert!(!settled(&old, &base, &base, OnConflict::KeepOld).0.contains("deny"));
    // Unguarded it was, and is.
    let base = of(&format!("{handlers}<pages />"));
    let (result, _) = strictly(&configuration(""), &base, &base);
    assert_eq!(result, of(handlers));
}
