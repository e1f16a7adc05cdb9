//! What is not said of a plan: consequences of another error, and secrets.

use super::*;

/// The messages about a wrong plan.
fn messages(text: &str) -> Vec<String> {
    read(text).unwrap_err().errors.into_iter().map(|error| error.message).collect()
}

#[test]
fn a_syntax_error_has_no_consequences() {
    for text in [
        "format 1\n[server]\n",
        "format = 1\nsdk.url = = 1\n",
        "format = 1\n[portal\ncolour = 1\n",
        "format = 1\n[server]\ninstaller 'C:\\a.exe'\nsha256 = \"0000000000000000000000000000000000000000000000000000000000000000\"\n",
        "format = 1\n[[hook]]\nbefore = 'a'\n\"run = ['C:\\a.exe']\n",
        "format = 1\n[gates]\nactivation = { skip 'a' }\n",
    ] {
        assert_eq!(messages(text).len(), 1, "{text}{:?}", messages(text));
    }
}

#[test]
fn a_wrong_value_has_no_consequences() {
    for text in [
        "format = 1\nsdk.product-code = \"1\"\n",
        "format = 1\nserver.sha256 = \"1\"\nserver.installer = \"C:\\\\a\"\n",
        "format = 1\nhook = [{ before = 1, run = ['C:\\a.exe'] }]\n",
        "format = 1\nhook = [{ before = 'a', run = 1 }]\n",
        "format = 2\nfoo = 1\n",
        "format = 99999999999999999999\n",
    ] {
        assert_eq!(messages(text).len(), 1, "{text}{:?}", messages(text));
    }
}

#[test]
fn one_virtual_directory_serves_two_components_only_apart() {
    good("portal.virtual-directory = \"a\"\nsdk = { virtual-directory = \"a\", site = \"other\" }\n");
    good("portal.virtual-directory = \"a\"\nmobile-app = { virtual-directory = \"a\", action = \"remove\" }\n");
    good("portal.virtual-directory = \"a\"\nmobile-app = { virtual-directory = \"a\", action = \"keep\" }\n");
    let sites = "format = 1\nportal = { virtual-directory = \"a\", site = \"S\" }\nsdk = { virtual-directory = \"a\", site = \"s\" }\n";
    assert_eq!(messages(sites), ["`sdk` and `portal` cannot have the same virtual directory on one site"]);
    // The default is as good as a name in the file, whichever of the two it belongs to.
    let default = "format = 1\nsdk.virtual-directory = \"MultiFactorAuthMobileAppWebService\"\n";
    assert_eq!(messages(default), ["`sdk` has the default virtual directory of `mobile-app`"]);
    let default = "format = 1\nmobile-app.virtual-directory = \"MultiFactorAuthWebServiceSdk\"\n";
    assert_eq!(messages(default), ["`mobile-app` has the default virtual directory of `sdk`"]);
}

#[test]
fn a_decision_names_a_conflict_and_a_side_once() {
    for (text, message) in [
        ("take = 'old'", "a decision names no conflict"),
        ("path = 'a'", "a decision does not say which value wins"),
        ("path = 'a'\ntake = 'mine'", "`merge.decision.take` has an unknown value"),
        ("path = 'a'\ntake = 'old'\n[[merge.decision]]\npath = 'a'\ntake = 'new'", "`a` is decided twice"),
    ] {
        assert_eq!(messages(&format!("format = 1\n[[merge.decision]]\n{text}\n")), [message], "{text}");
    }
    let one = messages("format = 1\n[merge.decision]\npath = 'a'\ntake = 'old'\n");
    assert_eq!(one, ["`[merge.decision]` must be `[[merge.decision]]`"]);
}

#[test]
fn what_is_kept_needs_no_installer() {
    let text = "format = 1\nserver = { action = \"keep\", installer = 'C:\\a.exe' }\n";
    assert_eq!(messages(text), ["`server.installer` has no effect with `action = \"keep\"`"]);
    good("server = { action = \"keep\", product-code = '{01234567-89AB-CDEF-0123-456789ABCDEF}' }\n");
    good("sdk = { action = \"keep\", url = \"https://a/PfWsSdk.asmx\" }\n");
}

#[test]
fn arguments_with_secrets_are_refused_and_others_are_not() {
    for argument in ["PASSWORD=a", "password:a", "--api-key=a", "-Credential", "/p_token:a"] {
        let text = format!("format = 1\nserver.arguments = [\"{argument}\"]\n");
        assert_eq!(
            messages(&text),
            ["`server.arguments` contains what looks like a secret; the plan is stored with the run"]
        );
    }
    for argument in ["", "/quiet", "password", r"C:\\Scripts\\set-password.cmd", "MODE=secret"] {
        good(&format!("server.arguments = [\"{argument}\"]\n"));
    }
}

#[test]
fn only_the_secret_is_covered() {
    let mask = credential::mask;
    for (text, masked) in [
        (r#"PASSWORD = "a\", b", X = 1"#, r#"PASSWORD = "**"* *", X = 1"#),
        ("A_TOKEN = ['a]', 'b'] # c", "A_TOKEN = *'**'* '*'* # c"),
        ("pwd = 'é日🔑' # c", "pwd = '·•🟊' # c"),
        ("pwd = 'a'b # c", "pwd = '*'* * *"),
        ("pwd = '''a\nb''' # c\n", "pwd = '''*\n*''' # c\n"),
        ("x = 'https://a:b@c/d', y", "x = 'https://***@c/d', y"),
        ("name = 'https://c/d' # a@b", "name = 'https://c/d' # a@b"),
        ("password\nnext = 1", "password\nnext = 1"),
    ] {
        assert_eq!(mask(text), masked);
        assert_eq!((mask(text).len(), mask(text).chars().count()), (text.len(), text.chars().count()));
    }
}
