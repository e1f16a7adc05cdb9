//! Lists, and the comments in them.

use super::*;

fn list(items: &[&str]) -> String {
    let declared = r#"<configSections><section name="s" type="t"/></configSections>"#;
    configuration(&format!("{declared}\n  <s>\n    {}\n  </s>", items.join("\n    ")))
}

/// The result of a merge in which both sides count alike; merged again it stays.
fn strictly(old: &str, base: &str, new: &str) -> (String, Vec<Change>) {
    let rules = Rules { strict: true, ..keep() };
    let (result, changes) = merged(old, Some(base), new, &rules);
    assert_eq!(merged(old, Some(base), &result, &rules).0, result);
    (result, changes)
}

fn fates(changes: &[Change]) -> Vec<(&str, &Fate)> {
    changes.iter().map(|change| (change.path.as_str(), &change.fate)).collect()
}

const A: &str = "<path>a</path>";
const B: &str = "<path>b</path>";
const C: &str = "<path>c</path>";
const OWN: &str = "<path>own</path>";

#[test]
fn items_that_hold_only_text_go_by_it() {
    let (abc, ab) = (list(&[A, B, C]), list(&[A, B]));
    // One is gone here, another one there.
    let (result, changes) = strictly(&list(&[A, C]), &abc, &list(&[B, C]));
    assert_eq!((result, fates(&changes)), (list(&[C]), vec![("s/path[b]", &Fate::Removed)]));
    assert_eq!(strictly(&list(&[A, C]), &abc, &list(&[A, "<path>\n b </path>", C, OWN])).0, list(&[A, C, OWN]));
    // One is another one.
    let (result, changes) = strictly(&list(&[OWN, B]), &ab, &abc);
    assert_eq!(result, list(&[OWN, B, C]));
    assert_eq!(fates(&changes), [("s/path[own]", &Fate::Added), ("s/path[a]", &Fate::Removed)]);
    // One is added, and stands where it stood.
    let (result, changes) = strictly(&list(&[A, OWN, B]), &ab, &list(&[C, A, B]));
    assert_eq!((result, fates(&changes)), (list(&[C, A, OWN, B]), vec![("s/path[own]", &Fate::Added)]));
    assert_eq!(fates(&strictly(&list(&[A, B, OWN]), &ab, &list(&[A, OWN])).1), [("s/path[own]", &Fate::AlreadySo)]);
    // One alone has other text, and namesakes are told apart.
    assert_eq!(fates(&strictly(&list(&[OWN]), &list(&[A]), &list(&[A])).1), [("s/path/text()", &Fate::Carried)]);
    let of = |text: &str| format!(r#"<path kind="dir">{text}</path>"#);
    let (a, b, own) = (of("a"), of("b"), of("own"));
    assert_eq!(strictly(&list(&[&a, &own]), &list(&[&a, &b]), &list(&[&b, A])).0, list(&[&own, A]));
    // Each in its comment.
    let off = format!("<!--{B}-->");
    assert_eq!(strictly(&list(&[&off]), &ab, &list(&[A, B, C])).0, list(&[C, &off]));
}

#[test]
fn a_list_of_secrets_names_none() {
    let of = |around: &str, tag: &str, texts: &[&str]| {
        let items: String = texts.iter().map(|text| format!("<{tag}>{text}</{tag}>")).collect();
        list(&[&format!("<{around}>{items}</{around}>")])
    };
    for (around, tag, secret) in [
        ("x", "password", "Zq9"),
        ("passwords", "x", "Zq9"),
        ("x", "to", "https://me:Zq9@host/"),
        ("x", "y", "pwd=Zq9"),
    ] {
        let of = |texts: &[&str]| of(around, tag, texts);
        for (old, new) in [(of(&["a", secret]), of(&["a"])), (of(&["a"]), of(&["a", secret, "c"]))] {
            let (_, changes) = strictly(&old, &of(&["a", "b"]), &new);
            let of_paths: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
            assert!(!of_paths.concat().contains("Zq9"), "{of_paths:?}");
            assert!(around == "passwords" || !format!("{changes:?}").contains("Zq9"), "{changes:?}");
        }
    }
}

#[test]
fn comments_in_what_both_sides_added_are_not_lost() {
    let of = |inner: &str| configuration(&format!("<system.webServer>\n  {inner}\n</system.webServer>"));
    let security = |limits: &[&str]| of(&format!("<security>\n    {}\n  </security>", limits.join("\n    ")));
    let (note, limits, more) = ("<!-- up to 64 Mb -->", r#"<requestLimits max="64" />"#, "<x />");
    let base = of("<validation />");
    let (result, changes) = strictly(&security(&[note, limits]), &base, &security(&[more, limits]));
    assert_eq!(result, security(&[more, note, limits]));
    let path = "system.webServer/security/comment()";
    assert_eq!(fate(&changes, path), &Fate::Added);
    // What both wrote is nothing to tell of but with the element.
    let both = security(&[note, limits]);
    let (result, changes) = strictly(&both, &base, &both);
    assert_eq!(result, both);
    assert!(changes.iter().all(|change| change.fate == Fate::AlreadySo && change.path != path), "{changes:?}");
}

#[test]
fn a_comment_that_the_administrator_left_on_the_line_stays() {
    let about = "<!-- about a -->";
    let with = format!("{A} {about}");
    let (base, old) = (list(&[&with, B]), list(&[about, B]));
    let (result, changes) = strictly(&old, &base, &base);
    assert_eq!((result, fates(&changes)), (old, vec![("s/path[a]", &Fate::Removed)]));
    assert_eq!(strictly(&list(&[B]), &base, &base).0, list(&[B]));
    // Where another one says the same, his own goes with it.
    let (one, other) = (format!("{A} <!-- x -->"), format!("{B} <!-- x -->"));
    let both = list(&[&one, &other]);
    assert_eq!(strictly(&list(&[&one]), &both, &both).0, list(&[&one]));
    assert_eq!(strictly(&list(&[&other]), &both, &both).0, list(&[&other]));
    // In one line, and among values.
    let of = |inner: &str| list(&[&format!("<b>{inner}</b>")]);
    let (base, old) = (of("<c /><!-- v -->"), of("<!-- v -->"));
    assert_eq!(strictly(&old, &base, &base).0, old);
    let of = |key: &str| configuration(&format!("  <appSettings>\n    {key}<!-- v -->\n  </appSettings>"));
    let base = of(r#"<add key="a" value="1" /> "#);
    assert_eq!(strictly(&of(""), &base, &base).0, of(""));
}

#[test]
fn which_of_several_comments_that_say_the_same_was_taken_out_is_for_a_person_to_see() {
    let stars = "<!-- *** -->";
    let all = [stars, "<!-- title -->", stars, A, stars, B, stars, C];
    let base = list(&all);
    let without = |gone: &[usize]| {
        let left = all.iter().enumerate().filter(|(at, _)| !gone.contains(at));
        left.map(|(_, line)| *line).collect::<Vec<_>>()
    };
    for gone in [&[0][..], &[4], &[0, 4, 6]] {
        let old = list(&without(gone));
        let (result, changes) = strictly(&old, &base, &base);
        assert!(result == base && is_reported(&changes, "s/comment()"), "{gone:?}: {changes:?}");
        assert_eq!(fates(&strictly(&old, &base, &old).1), [("s/comment()", &Fate::AlreadySo)]);
    }
    // All of them are.
    let old = list(&without(&[0, 2, 4, 6]));
    let (result, changes) = strictly(&old, &base, &base);
    assert_eq!((result, fates(&changes)), (old, vec![("s/comment()", &Fate::Removed)]));
    // An element takes its own along.
    let new = list(&[&all[..], &[stars, OWN]].concat());
    let (result, changes) = strictly(&list(&without(&[4, 5])), &base, &new);
    assert_eq!(result, list(&[&without(&[4, 5])[..], &[stars, OWN]].concat()));
    assert_eq!(fates(&changes), [("s/path[b]", &Fate::Removed)]);
}

#[test]
fn an_order_is_shown() {
    let of = |names: &str| {
        let rules: Vec<String> = names.split(' ').map(|name| format!("<rule name=\"{name}\"/>")).collect();
        list(&[&format!("<rules>{}</rules>", rules.concat())])
    };
    let shown = |old: &str, base: &str, new: &str, on_conflict| {
        let rules = Rules { strict: true, on_conflict, ..keep() };
        let (_, mut changes) = merged(&of(old), Some(&of(base)), &of(new), &rules);
        let change = changes.remove(changes.iter().position(|change| change.path == "s/rules/(order)").unwrap());
        let plain = |names: &str| -> Vec<String> { names.split(' ').map(|name| format!("rule[{name}]")).collect() };
        move |old: &str, new: &str, result: &str, fate: Fate| {
            let [old, new, result] = [old, new, result].map(|names| Shown::Plain(plain(names).join(", ")));
            assert_eq!(change, Change { path: "s/rules/(order)".to_owned(), old, new, result, fate });
        }
    };
    let undecided = Fate::Conflict { taken: None };
    shown("c a b", "a b c", "b a c", OnConflict::Stop)("c a b", "b a c", "b a c", undecided);
    let kept = Fate::Conflict { taken: Some(Side::Old) };
    shown("c a b", "a b c", "b a c", OnConflict::KeepOld)("c a b", "b a c", "c a b", kept);
    // What stands where it stood is left out.
    shown("a c b d", "a b c d", "x a b c d", OnConflict::Stop)("c b", "b c", "c b", Fate::Carried);
    shown("a c b d", "a b c d", "a c b d y", OnConflict::Stop)("c b", "c b", "c b", Fate::AlreadySo);
    let why = "the new version no longer has what was put in order".to_owned();
    shown("b a", "a b", "a", OnConflict::Stop)("b a", "b a", "b a", Fate::Superseded { why });
    let (base, old) = ("a b c d e f g h i j k l", "l k j i h g f e d c b a");
    let (_, changes) = strictly(&of(old), &of(base), &of(base));
    assert!(changes[0].old.to_string().ends_with("rule[d], rule[c], ..."), "{}", changes[0].old);
}

/// An element of these items at a path of two.
fn at(path: &str, items: &[&str]) -> String {
    let (group, section) = path.split_once('/').unwrap();
    configuration(&format!(
        "  <{group}>\n    <{section}>\n      {}\n    </{section}>\n  </{group}>",
        items.join("\n      ")
    ))
}

#[test]
fn items_go_by_the_keys_of_their_collections() {
    let of = |path: &str, item: &str, value: &str| at(path, &[&item.replace("_", value)]);
    for (path, item) in [
        ("system.net/connectionManagement", r#"<add address="*" maxconnection="_"/>"#),
        ("system.net/webRequestModules", r#"<add prefix="a:" type="_"/>"#),
        ("tracing/traceFailedRequests", r#"<add path="*" verbosity="_"/>"#),
        ("system.webServer/verbs", r#"<add verb="TRACE" allowed="_"/>"#),
        ("system.webServer/ipSecurity", r#"<add ipAddress="10.0.0.1" allowed="_"/>"#),
        ("security/authorization", r#"<add users="*" roles="" accessType="_"/>"#),
        ("bindings/basicHttpBinding", r#"<binding maxReceivedMessageSize="_"/>"#),
        ("behaviors/endpointBehaviors", r#"<behavior x="_"/>"#),
    ] {
        let [old, base, new] = ["1", "2", "3"].map(|value| of(path, item, value));
        for base in [&base, &at(path, &[])] {
            let (result, changes) = merged(&old, Some(base), &new, &Rules { strict: true, ..keep() });
            assert!(result == new && changes.iter().any(Change::is_undecided), "{path}: {result} {changes:#?}");
        }
        assert_eq!(merged(&old, Some(&base), &base, &keep()).0, old, "{path}");
    }
}

#[test]
fn nothing_is_moved_before_what_takes_it_back() {
    let (a, b, remove) = (r#"<add value="a"/>"#, r#"<add value="b"/>"#, r#"<remove value="b"/>"#);
    let of = |items: &[&str]| at("system.webServer/defaultDocument", items);
    let (old, base, new) = (of(&[b, a]), of(&[a, b]), of(&[a, remove, b]));
    let (result, changes) = strictly(&old, &base, &new);
    assert_eq!(result, new);
    assert!(is_reported(&changes, "system.webServer/defaultDocument/(order)"));
    // Where the administrator has it as well, they go together.
    let old = of(&[remove, b, a]);
    assert_eq!(strictly(&old, &new, &new).0, old);
}

#[test]
fn what_takes_back_stands_before_a_line_that_comes_out_of_a_comment() {
    let (remove, item) = (r#"<remove fileExtension=".a"/>"#, r#"<mimeMap fileExtension=".a" mimeType="a/b"/>"#);
    let of = |items: &[&str]| at("system.webServer/staticContent", items);
    let comment = format!("<!-- {item} -->");
    for first in [remove, "<clear/>"] {
        let old = of(&[first, item]);
        assert_eq!(strictly(&old, &of(&[&comment]), &of(&[&comment])).0, old);
        let own = r#"<mimeMap fileExtension=".v" mimeType="a/b"/>"#;
        assert_eq!(strictly(&old, &of(&[&comment]), &of(&[&comment, own])).0, of(&[first, own, item]));
    }
    let (remove, key) = (r#"<remove key="k" />"#, r#"<add key="k" value="1" />"#);
    let of =
        |items: &[&str]| configuration(&format!("  <appSettings>\n    {}\n  </appSettings>", items.join("\n    ")));
    let base = of(&[&format!("<!-- {key} -->")]);
    assert_eq!(strictly(&of(&[remove, key]), &base, &base).0, of(&[remove, key]));
}
