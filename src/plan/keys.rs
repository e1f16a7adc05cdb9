//! Every key of the plan file: the reader takes its allowed values from here, and so can a reference of the plan.

/// One key, in every table that has it with the same meaning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyDoc {
    /// The tables it may stand in; `""` is the top of the file, `hook` each `[[hook]]`.
    pub tables: &'static [&'static str],
    /// The key itself.
    pub key: &'static str,
    /// What may stand behind it, as people read it.
    pub kind: &'static str,
    /// The values it may have, where they can be listed.
    pub values: &'static [&'static str],
    /// Its default as TOML; empty where there is none, and the meaning then says what happens.
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

/// A key that takes one of a few texts, of which the first is the default where there is one.
const fn choice(
    tables: &'static [&'static str],
    key: &'static str,
    values: &'static [&'static str],
    default: &'static str,
    meaning: &'static str,
) -> KeyDoc {
    KeyDoc { tables, key, kind: "text", values, default, meaning }
}

/// Every key that may stand in a plan.
#[rustfmt::skip]
pub const KEYS: &[KeyDoc] = &[
    key(TOP, "format", "a whole number", "", "version of the plan format, always 1; required"),
    key(TOP, "name", "text", "", "what the report calls this plan"),
    key(TOP, "backup", "a table", "", "where the backups go"),
    key(TOP, "server", "a table", "", "the agent, which becomes Multi-Factor Authentication Server"),
    key(TOP, "sdk", "a table", "", "the Web Service SDK"),
    key(TOP, "portal", "a table", "", "the User Portal"),
    key(TOP, "mobile-app", "a table", "", "the Mobile App Web Service"),
    key(TOP, "merge", "a table", "", "how old and new web.config files become one"),
    key(TOP, "gates", "a table", "", "steps for people that are skipped"),
    key(TOP, "preflight", "a table", "", "what the checks before the first change let pass"),
    key(TOP, "hook", "an array of tables", "", "own programs around steps"),
    key(&["backup"], "directory", "a path", r"'%ProgramData%\pfupgrade\backups'", "folder below which each run makes its own; on a local fixed disk"),
    choice(&["server"], "action", &["auto", "upgrade", "keep"], "\"auto\"", "auto upgrades what is installed and skips what is not; upgrade insists; keep leaves it alone"),
    choice(WEB, "action", &["auto", "upgrade", "remove", "keep"], "\"auto\"", "auto upgrades what is installed and skips what is not; upgrade insists; remove only uninstalls; keep leaves it alone"),
    key(ALL, "installer", "a path", "", "the new installer; without it, a web component's comes with the server's setup"),
    key(ALL, "sha256", "64 hexadecimal digits", "", "hash that the installer must have"),
    key(ALL, "signed-by", "text or false", "\"Microsoft Corporation\"", "who must have signed the installer; false accepts an unsigned one"),
    key(ALL, "product-code", "a GUID in braces", "", "the installed product, where the survey cannot tell which one it is"),
    key(ALL, "rollback-installer", "a path", "", "installer of the old version, for a rollback where Windows holds no usable copy"),
    key(&["server"], "arguments", "an array of texts", "", "silent switches of the setup; without them the run stops at the gate server-setup"),
    key(&["server"], "data-upgrade-timeout", "a duration", "\"30m\"", "how long the service may take to upgrade its data file"),
    key(&["sdk"], "virtual-directory", "one plain name", "\"MultiFactorAuthWebServiceSdk\"", "name of the new IIS application"),
    key(&["portal"], "virtual-directory", "one plain name", "\"MultiFactorAuth\"", "name of the new IIS application"),
    key(&["mobile-app"], "virtual-directory", "one plain name", "\"MultiFactorAuthMobileAppWebService\"", "name of the new IIS application"),
    key(WEB, "site", "text", "", "IIS site; without it, that of the old application"),
    key(WEB, "application-pool", "text", "", "existing IIS application pool; without it, that of the old application if it fits"),
    key(WEB, "properties", "a table of texts", "{}", "more public properties for the installer, such as { NAME = \"value\" }"),
    choice(WEB, "method", &["msi", "console"], "\"msi\"", "console makes the installation a gate: a person does it in the server's console"),
    key(&["sdk"], "url", "an address", "", "new address of an SDK that lives on another server"),
    choice(&["portal"], "themes", &["restore", "skip"], "\"restore\"", "own folders below App_Themes and the theme the old file selected"),
    choice(&["merge"], "other-changes", &["apply", "report"], "\"apply\"", "changes outside appSettings and applicationSettings"),
    choice(&["merge"], "on-conflict", &["stop", "keep-new", "keep-old"], "\"stop\"", "what happens where both sides changed the same"),
    choice(&["merge"], "on-encrypted", &["stop", "decrypt"], "\"stop\"", "what becomes of encrypted sections; decrypt merges a private copy and encrypts the result"),
    key(&["merge"], "decision", "an array of tables", "", "which side holds in single conflicts"),
    key(&["merge.decision"], "path", "text", "", "the conflict, as the preview names it; required"),
    choice(&["merge.decision"], "take", &["old", "new"], "", "whose value holds; required"),
    key(&["gates"], "server-setup", "{ skip = \"reason\" }", "", "run the server's setup"),
    key(&["gates"], "activation", "{ skip = \"reason\" }", "", "activate the server and pick its replication group"),
    key(&["gates"], "portal-url", "{ skip = \"reason\" }", "", "enter the portal's new address in the server's console"),
    key(&["gates"], "mobile-app-url", "{ skip = \"reason\" }", "", "enter the mobile app service's new address in the server's console"),
    key(&["gates.server-setup", "gates.activation", "gates.portal-url", "gates.mobile-app-url"], "skip", "text", "", "why it is skipped; required, and part of the report"),
    key(&["preflight"], "allow", "an array of ids", "[]", "findings of the level \"refuse unless allowed\" that are allowed"),
    key(&["hook"], "before", "a step's id", "", "the step before which it runs; either this or after"),
    key(&["hook"], "after", "a step's id", "", "the step after which it runs; either this or before"),
    key(&["hook"], "run", "an array of texts", "", "absolute path of an .exe, then its arguments; required"),
    key(&["hook"], "timeout", "a duration", "\"5m\"", "how long it may take"),
];
