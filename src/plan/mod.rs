//! The plan: what the administrator wants, as written in a TOML file.
//!
//! A plan is declarative. It names the wanted state and never an order; everything has a default that follows
//! Microsoft's procedure, so the smallest useful plan is `format = 1` and where the server's installer lies.
//!
//! [`Plan::read`] is strict: unknown keys, wrong types and impossible combinations are errors, and all errors of a
//! file come together as [`Diagnostics`]. [`KEYS`] says what may stand in the file. The serde form of [`Plan`] is for
//! the journal; it has the shape of the file.

mod check;
mod credential;
mod diagnostic;
pub mod duration;
mod keys;
mod parse;
mod reader;
#[cfg(test)]
mod tests;
mod values;

pub use diagnostic::{Diagnostic, Diagnostics, Place};
pub use keys::{KEYS, KeyDoc};
pub use parse::LARGEST;
// What a plan says of the merge is what the merge takes.
pub use crate::webconfig::{OnConflict, OtherChanges, Side};
pub use values::{
    ExpandError, Invalid, MachinePath, Program, PropertyName, SdkUrl, Sha256Hex, SignedBy, VirtualDirectory,
};

use crate::names::ProductCode;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, time::Duration};

/// The version of the plan format that this program reads.
pub const FORMAT: i64 = 1;

/// A part of the product that is upgraded on its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Component {
    /// PhoneFactor Agent, then Multi-Factor Authentication Server.
    Server,
    /// The web service through which the other web components reach the server.
    Sdk,
    /// The site on which users manage their own settings.
    Portal,
    /// The service that phones talk to; 8.0 and later no longer ship it.
    MobileApp,
}

impl Component {
    /// Every component, in the order in which they are installed.
    pub const ALL: [Self; 4] = [Self::Server, Self::Sdk, Self::Portal, Self::MobileApp];
    /// The components that are IIS applications, in the order in which they are installed.
    pub const WEB: [Self; 3] = [Self::Sdk, Self::Portal, Self::MobileApp];

    /// The name of its table in the plan, used as its id everywhere.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Sdk => "sdk",
            Self::Portal => "portal",
            Self::MobileApp => "mobile-app",
        }
    }

    /// Its name in sentences.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Sdk => "Web Service SDK",
            Self::Portal => "User Portal",
            Self::MobileApp => "Mobile App Web Service",
        }
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.key())
    }
}

/// What is wanted of a machine. `Plan::default()` is the plan of a file that holds only `format = 1`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Plan {
    /// What the report calls this plan; none by default.
    pub name: Option<String>,
    /// Where the backups go.
    pub backup: Backup,
    /// The agent, which becomes the server.
    pub server: Server,
    /// The Web Service SDK.
    pub sdk: Sdk,
    /// The User Portal.
    pub portal: Portal,
    /// The Mobile App Web Service.
    pub mobile_app: Web,
    /// How old and new web.config files become one.
    pub merge: Merge,
    /// Gates that are skipped, each with its reason; none by default.
    pub gates: BTreeMap<GateId, Skip>,
    /// What the checks before the first change let pass.
    pub preflight: Preflight,
    /// Own programs around steps, in the order of the file; none by default.
    #[serde(rename = "hook")]
    pub hooks: Vec<Hook>,
}

impl Plan {
    /// Reads a plan file. `name` is what the diagnostics call it. All errors of the file come together.
    pub fn read(bytes: &[u8], name: &str) -> Result<Self, Diagnostics> {
        parse::plan(bytes, name)
    }

    /// What every component has.
    pub fn common(&self, component: Component) -> &Common {
        match component {
            Component::Server => &self.server.common,
            Component::Sdk => &self.sdk.web.common,
            Component::Portal => &self.portal.web.common,
            Component::MobileApp => &self.mobile_app.common,
        }
    }

    /// What every web component has; `None` for the server.
    pub fn web(&self, component: Component) -> Option<&Web> {
        match component {
            Component::Server => None,
            Component::Sdk => Some(&self.sdk.web),
            Component::Portal => Some(&self.portal.web),
            Component::MobileApp => Some(&self.mobile_app),
        }
    }
}

/// `[backup]`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Backup {
    /// The folder below which each run makes its own; `%ProgramData%\pfupgrade\backups`.
    pub directory: MachinePath,
}

/// What `[server]`, `[sdk]`, `[portal]` and `[mobile-app]` have in common.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Common {
    /// What happens to it; `auto`.
    pub action: Action,
    /// The installer; for a web component, the one that comes with the server's setup where none is named. Whether
    /// one is needed at all the procedure decides: a web server has no agent.
    pub installer: Option<MachinePath>,
    /// The hash the installer must have; not checked by default.
    pub sha256: Option<Sha256Hex>,
    /// Who must have signed the installer; `Microsoft Corporation`.
    pub signed_by: SignedBy,
    /// The installed product, where the survey cannot tell which one it is; found by default.
    pub product_code: Option<ProductCode>,
    /// An installer of the old version, for a rollback where Windows holds no usable copy; none by default.
    pub rollback_installer: Option<MachinePath>,
}

impl Common {
    /// The hash that the installer must have, where the plan pins it.
    pub fn pin(&self) -> Option<&str> {
        self.sha256.as_ref().map(|pin| pin.as_str())
    }

    /// Who must have signed the installer; `None` where the plan accepts an unsigned one.
    pub fn signer(&self) -> Option<&str> {
        match &self.signed_by {
            SignedBy::Name(name) => Some(name),
            SignedBy::Unsigned => None,
        }
    }
}

/// `[server]`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Server {
    /// What every component has.
    #[serde(flatten)]
    pub common: Common,
    /// The setup's silent switches, passed as they stand. None by default: the published documents name none, so
    /// the run stops at the gate `server-setup` and asks the operator to run the installer.
    pub arguments: Option<Vec<String>>,
    /// How long the service may take to upgrade its data file; 30 minutes.
    #[serde(with = "duration")]
    pub data_upgrade_timeout: Duration,
}

/// What the web components have in common; all of `[mobile-app]`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Web {
    /// What every component has.
    #[serde(flatten)]
    pub common: Common,
    /// The name of the new IIS application; the one Microsoft's installer proposes.
    pub virtual_directory: VirtualDirectory,
    /// The IIS site; the one of the old application.
    pub site: Option<String>,
    /// The IIS application pool, which must exist; that of the old application, if it fits.
    pub application_pool: Option<String>,
    /// More public properties for the installer; none by default.
    pub properties: BTreeMap<PropertyName, String>,
    /// How it is installed; `msi`.
    pub method: Method,
}

impl Web {
    /// A web component of which the plan says nothing but its virtual directory.
    fn with_directory(name: &str) -> Self {
        Self {
            common: Common::default(),
            virtual_directory: VirtualDirectory::known(name),
            site: None,
            application_pool: None,
            properties: BTreeMap::new(),
            method: Method::Msi,
        }
    }

    /// The web component `component` of a plan that does not mention it.
    pub(crate) fn default_of(component: Component) -> Self {
        Self::with_directory(match component {
            Component::Portal => "MultiFactorAuth",
            Component::MobileApp => "MultiFactorAuthMobileAppWebService",
            Component::Sdk | Component::Server => "MultiFactorAuthWebServiceSdk",
        })
    }
}

/// `[sdk]`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Sdk {
    /// What every web component has.
    #[serde(flatten)]
    pub web: Web,
    /// Its new address where it lives on another server; none by default: it lives here.
    pub url: Option<SdkUrl>,
}

/// `[portal]`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Portal {
    /// What every web component has.
    #[serde(flatten)]
    pub web: Web,
    /// What becomes of own themes; `restore`. The article backs them up and never puts them back.
    pub themes: Themes,
}

/// What happens to a component.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Upgraded where it is installed, skipped where it is not.
    #[default]
    Auto,
    /// Upgraded; it must be installed.
    Upgrade,
    /// Uninstalled, and not installed again.
    Remove,
    /// Left as it is.
    Keep,
}

/// How a web component is installed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// By its Windows Installer package.
    #[default]
    Msi,
    /// By a person in the server's console: a gate says what to type, and it is verified afterwards.
    Console,
}

/// What becomes of own portal themes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Themes {
    /// Own folders below `App_Themes` are put back and the theme of the old file is selected.
    #[default]
    Restore,
    /// They stay in the backup.
    Skip,
}

/// `[merge]`
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Merge {
    /// What becomes of changes outside `appSettings` and `applicationSettings`; `apply`.
    pub other_changes: OtherChanges,
    /// What happens where both sides changed the same; `stop`.
    pub on_conflict: OnConflict,
    /// What becomes of encrypted sections; `stop`.
    #[serde(default)]
    pub on_encrypted: OnEncrypted,
    /// Which side holds in single conflicts; none by default.
    #[serde(default, rename = "decision", skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decision>,
}

/// What becomes of a web.config with encrypted sections.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnEncrypted {
    /// The run is refused.
    #[default]
    Stop,
    /// A private copy is decrypted for the merge, whose result is encrypted again.
    Decrypt,
}

/// `[[merge.decision]]`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Decision {
    /// The conflict, as the preview names it. No other decision has the same.
    pub path: String,
    /// Whose value holds.
    pub take: Side,
}

/// A gate that a plan can skip.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GateId {
    /// Run the server's setup.
    ServerSetup,
    /// Activate the server and pick its replication group.
    Activation,
    /// Enter the portal's new address in the server's console.
    PortalUrl,
    /// Enter the mobile app service's new address in the server's console.
    MobileAppUrl,
}

impl GateId {
    /// Every gate that a plan can skip.
    pub const ALL: [Self; 4] = [Self::ServerSetup, Self::Activation, Self::PortalUrl, Self::MobileAppUrl];

    /// Its name in the plan, on the command line and in the report.
    pub const fn key(self) -> &'static str {
        match self {
            Self::ServerSetup => "server-setup",
            Self::Activation => "activation",
            Self::PortalUrl => "portal-url",
            Self::MobileAppUrl => "mobile-app-url",
        }
    }
}

impl fmt::Display for GateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.key())
    }
}

/// That a gate is skipped.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Skip {
    /// Why; it stands in the report. Written as `{ skip = "reason" }`.
    #[serde(rename = "skip")]
    pub reason: String,
}

/// `[preflight]`
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Preflight {
    /// Ids of findings of the level "refuse unless allowed" that are allowed; none by default.
    pub allow: Vec<String>,
}

/// `[[hook]]`: an own program before or after a step.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Hook {
    /// The step, and on which side of it. The procedure checks that the step exists.
    #[serde(flatten)]
    pub when: When,
    /// The program and its arguments; no shell is between.
    pub run: Program,
    /// How long it may take; 5 minutes.
    #[serde(with = "duration")]
    pub timeout: Duration,
}

/// On which side of a step, given by its id, a hook runs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Before the step of this id.
    Before(String),
    /// After the step of this id.
    After(String),
}

impl Default for Backup {
    fn default() -> Self {
        Self { directory: MachinePath::known(r"%ProgramData%\pfupgrade\backups") }
    }
}

impl Default for Server {
    fn default() -> Self {
        Self { common: Common::default(), arguments: None, data_upgrade_timeout: Duration::from_secs(30 * 60) }
    }
}

impl Default for Sdk {
    fn default() -> Self {
        Self { web: Web::default_of(Component::Sdk), url: None }
    }
}

impl Default for Portal {
    fn default() -> Self {
        Self { web: Web::default_of(Component::Portal), themes: Themes::Restore }
    }
}

/// The default of `[mobile-app]`, the one table that is nothing but a [`Web`].
impl Default for Web {
    fn default() -> Self {
        Self::default_of(Component::MobileApp)
    }
}
