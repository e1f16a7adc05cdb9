//! Every key of the plan file: the source for the reader and for the reference.

/// A key, with all tables that have it with the same meaning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyDoc {
    /// Its tables; `""` is the top of the file, `hook` each `[[hook]]`.
    pub tables: &'static [&'static str],
    /// The key itself.
    pub key: &'static str,
    /// The type of its value, in words.
    pub kind: &'static str,
    /// Its allowed values, if they can be listed.
    pub values: &'static [&'static str],
    /// Its default as TOML; empty if there is none, and the meaning then says what happens.
    pub default: &'static str,
    /// What it does.
    pub meaning: &'static str,
}

impl KeyDoc {
    /// The key with its tables: `server.installer`, `sdk.installer`, and so on.
    pub fn paths(&self) -> impl Iterator<Item = String> {
        self.tables.iter().map(|table| path(table, self.key))
    }
}

/// `table.key`, or the key alone at the top of the file.
pub(super) fn path(table: &str, key: &str) -> String {
    if table.is_empty() { key.to_owned() } else { format!("{table}.{key}") }
}

const TOP: &[&str] = &[""];
const ALL: &[&str] = &["server", "sdk", "portal", "mobile-app"];
const WEB: &[&str] = &["sdk", "portal", "mobile-app"];

const fn key(
    tables: &'static [&'static str],
    key: &'static str,
    kind: &'static str,
    default: &'static str,
    meaning: &'static str,
) -> KeyDoc {
    KeyDoc { tables, key, kind, values: &[], default, meaning }
}

/// A key with a few allowed values, of which the first is the default, if there is one.
const fn choice(
    tables: &'static [&'static str],
    key: &'static str,
    values: &'static [&'static str],
    default: &'static str,
    meaning: &'static str,
) -> KeyDoc {
    KeyDoc { tables, key, kind: "text", values, default, meaning }
}

/// Every key of a plan.
#[rustfmt::skip]
pub const KEYS: &[KeyDoc] = &[
    key(TOP, "format", "a whole number", "", "version of the plan format, always 1; required"),
    key(TOP, "name", "text", "", "what the report calls this plan"),
    key(TOP, "machine", "text", "", "the name of the server that this plan is for: any other one is blocked"),
    key(TOP, "backup", "a table", "", "the folder of the backups"),
    key(TOP, "server", "a table", "", "the agent, which becomes Multi-Factor Authentication Server"),
    key(TOP, "sdk", "a table", "", "the Web Service SDK"),
    key(TOP, "portal", "a table", "", "the User Portal"),
    key(TOP, "mobile-app", "a table", "", "the Mobile App Web Service"),
    key(TOP, "merge", "a table", "", "how old and new web.config files are merged"),
    key(TOP, "gates", "a table", "", "manual steps to skip"),
    key(TOP, "preflight", "a table", "", "which blocking checks to allow"),
    key(TOP, "verify", "a table", "", "what else to check after the upgrade"),
    key(TOP, "hook", "an array of tables", "", "programs to run before or after steps"),
    key(&["backup"], "directory", "a path", r"'%ProgramData%\pfupgrade\backups'", "parent folder of all backups, on a local fixed disk"),
    choice(&["server"], "action", &["auto", "upgrade", "keep"], "\"auto\"", "auto upgrades an installed component and skips a missing one; upgrade requires it; keep does not change it"),
    choice(WEB, "action", &["auto", "upgrade", "remove", "keep"], "\"auto\"", "auto upgrades an installed component and skips a missing one; upgrade requires it; remove only uninstalls it; keep does not change it"),
    key(ALL, "installer", "a path", "", "the new installer; default for a web component: the one in the MFA Server setup"),
    key(ALL, "sha256", "64 hexadecimal digits", "", "required hash of the installer"),
    key(ALL, "signed-by", "text or false", "\"Microsoft Corporation\"", "required signer of the installer; false accepts an unsigned one"),
    key(ALL, "product-code", "a GUID in braces", "", "the installed product, if the survey cannot identify it"),
    key(ALL, "rollback-installer", "a path", "", "installer of the old version, for a rollback if Windows has no usable copy"),
    key(&["server"], "arguments", "an array of texts", "", "silent switches of the setup; without them, the run waits at the gate server-setup"),
    key(&["server"], "data-upgrade-timeout", "a duration", "\"30m\"", "how long the service may take to upgrade its data file"),
    key(&["sdk"], "virtual-directory", "one plain name", "\"MultiFactorAuthWebServiceSdk\"", "name of the new IIS application"),
    key(&["portal"], "virtual-directory", "one plain name", "\"MultiFactorAuth\"", "name of the new IIS application"),
    key(&["mobile-app"], "virtual-directory", "one plain name", "\"MultiFactorAuthMobileAppWebService\"", "name of the new IIS application"),
    key(WEB, "site", "text", "", "IIS site; default: that of the old application"),
    key(WEB, "application-pool", "text", "", "existing IIS application pool; default: that of the old application, if it is suitable"),
    key(WEB, "properties", "a table of texts", "{}", "more public properties for the installer, such as { NAME = \"value\" }"),
    choice(WEB, "method", &["msi", "console"], "\"msi\"", "console makes the installation a manual step in the MFA Server console"),
    key(&["sdk"], "url", "a URL", "", "new URL of an SDK on another server"),
    choice(&["portal"], "themes", &["restore", "skip"], "\"restore\"", "custom folders below App_Themes, and the theme selected in the old file"),
    choice(&["merge"], "other-changes", &["apply", "report"], "\"apply\"", "changes outside appSettings and applicationSettings"),
    choice(&["merge"], "on-conflict", &["stop", "keep-new", "keep-old"], "\"stop\"", "what happens in a conflict"),
    choice(&["merge"], "on-encrypted", &["stop", "decrypt"], "\"stop\"", "what happens to encrypted sections; decrypt merges a private copy and encrypts the result"),
    key(&["merge"], "decision", "an array of tables", "", "decisions for individual conflicts"),
    key(&["merge.decision"], "path", "text", "", "the conflict, as shown in the preview; required"),
    choice(&["merge.decision"], "take", &["old", "new"], "", "which value wins; required"),
    key(&["gates"], "server-setup", "{ skip = \"reason\" }", "", "run the MFA Server setup"),
    key(&["gates"], "activation", "{ skip = \"reason\" }", "", "activate the server and select its replication group"),
    key(&["gates"], "portal-url", "{ skip = \"reason\" }", "", "enter the new portal URL in the MFA Server console"),
    key(&["gates"], "mobile-app-url", "{ skip = \"reason\" }", "", "enter the new mobile app service URL in the MFA Server console"),
    key(&["gates.server-setup", "gates.activation", "gates.portal-url", "gates.mobile-app-url"], "skip", "text", "", "why it is skipped; required, and shown in the report"),
    key(&["preflight"], "allow", "an array of ids", "[]", "checks of the level \"blocking unless allowed\" to allow"),
    key(&["verify"], "url", "an array of URLs", "[]", "more URLs of this server to request; each must respond as well as before the upgrade"),
    key(&["hook"], "before", "a step's id", "", "the step before which it runs; either this or `after`"),
    key(&["hook"], "after", "a step's id", "", "the step after which it runs; either this or `before`"),
    key(&["hook"], "run", "an array of texts", "", "absolute path of an .exe, then its arguments; required"),
    key(&["hook"], "timeout", "a duration", "\"5m\"", "how long it may take"),
];
