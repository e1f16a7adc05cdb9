//! The plan: the desired state, in a TOML file.
//!
//! A plan is declarative. It describes the desired state and never an order; everything has a default that follows
//! Microsoft's procedure, so the smallest useful plan is `format = 1` and the path of the MFA Server setup.
//!
//! [`Plan::read`] is strict: unknown keys, wrong types and impossible combinations are errors, and all errors of a file
//! come together as [`Diagnostics`]. [`KEYS`] defines the keys of the file. The serde form of [`Plan`] is for the
//! journal; it has the structure of the file.

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
// The plan uses the types of the merge.
pub use crate::webconfig::{OnConflict, OtherChanges, Side};
pub use values::{
    ExpandError, Invalid, MachinePath, PageUrl, Program, PropertyName, SdkUrl, Sha256Hex, SignedBy, VirtualDirectory,
};

use crate::names::ProductCode;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, time::Duration};

/// The version of the plan format that this program reads.
pub const FORMAT: i64 = 1;

/// A component of the product, which is upgraded separately.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Component {
    /// PhoneFactor Agent, then Multi-Factor Authentication Server.
    Server,
    /// The web service that connects the other web components to the server.
    Sdk,
    /// The site where users manage their own settings.
    Portal,
    /// The service for phones; 8.0 and later no longer include it.
    MobileApp,
}

impl Component {
    /// Every component, in the order in which they are installed.
    pub const ALL: [Self; 4] = [Self::Server, Self::Sdk, Self::Portal, Self::MobileApp];
    /// The components that are IIS applications, in the order in which they are installed.
    pub const WEB: [Self; 3] = [Self::Sdk, Self::Portal, Self::MobileApp];

    /// The name of its table in the plan, and its ID everywhere.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Sdk => "sdk",
            Self::Portal => "portal",
            Self::MobileApp => "mobile-app",
        }
    }

    /// Its display name.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Server => "MFA Server",
            Self::Sdk => "Web Service SDK",
            Self::Portal => "User Portal",
            Self::MobileApp => "Mobile App Web Service",
        }
    }

    /// The display name of its old version.
    pub fn old_title(self) -> &'static str {
        if self == Self::Server { "PhoneFactor Agent" } else { self.title() }
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.key())
    }
}

/// The desired state of a machine. `Plan::default()` is the plan of a file that contains only `format = 1`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Plan {
    /// The name of the plan in the report; none by default.
    pub name: Option<String>,
    /// The name of the only server that this plan is for; any server by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// The folder of the backups.
    pub backup: Backup,
    /// The agent, which becomes the server.
    pub server: Server,
    /// The Web Service SDK.
    pub sdk: Sdk,
    /// The User Portal.
    pub portal: Portal,
    /// The Mobile App Web Service.
    pub mobile_app: Web,
    /// How old and new web.config files are merged.
    pub merge: Merge,
    /// Gates that are skipped, each with its reason; none by default.
    pub gates: BTreeMap<GateId, Skip>,
    /// Which blocking checks to allow.
    pub preflight: Preflight,
    /// `[verify]`
    #[serde(default)]
    pub verify: Verification,
    /// Programs to run before or after steps, in the order of the file; none by default.
    #[serde(rename = "hook")]
    pub hooks: Vec<Hook>,
}

impl Plan {
    /// Reads a plan file. `name` is its name in diagnostics. All errors of the file are reported together.
    pub fn read(bytes: &[u8], name: &str) -> Result<Self, Diagnostics> {
        parse::plan(bytes, name)
    }

    /// The keys of every component.
    pub fn common(&self, component: Component) -> &Common {
        match component {
            Component::Server => &self.server.common,
            Component::Sdk => &self.sdk.web.common,
            Component::Portal => &self.portal.web.common,
            Component::MobileApp => &self.mobile_app.common,
        }
    }

    /// The keys of every web component; `None` for the server.
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
    /// The parent folder of all backups; `%ProgramData%\pfupgrade\backups`.
    pub directory: MachinePath,
}

/// The common keys of `[server]`, `[sdk]`, `[portal]` and `[mobile-app]`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Common {
    /// What happens to it; `auto`.
    pub action: Action,
    /// The installer; for a web component, the one in the MFA Server setup by default. The procedure decides whether
    /// one is needed at all: a web server has no agent.
    pub installer: Option<MachinePath>,
    /// The required hash of the installer; not checked by default.
    pub sha256: Option<Sha256Hex>,
    /// The required signer of the installer; `Microsoft Corporation`.
    pub signed_by: SignedBy,
    /// The installed product, if the survey cannot identify it; detected by default.
    pub product_code: Option<ProductCode>,
    /// An installer of the old version, for a rollback if Windows has no usable copy; none by default.
    pub rollback_installer: Option<MachinePath>,
}

impl Common {
    /// The required hash of the installer, where the plan pins it.
    pub fn pin(&self) -> Option<&str> {
        self.sha256.as_ref().map(|pin| pin.as_str())
    }

    /// The required signer of the installer; `None` if the plan accepts an unsigned one.
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
    /// The keys of every component.
    #[serde(flatten)]
    pub common: Common,
    /// The setup's silent switches, passed unchanged. None by default: no published document names any, so the run
    /// waits at the gate `server-setup` and asks the operator to run the installer.
    pub arguments: Option<Vec<String>>,
    /// How long the service may take to upgrade its data file; 30 minutes.
    #[serde(with = "duration")]
    pub data_upgrade_timeout: Duration,
}

/// The common keys of the web components; all keys of `[mobile-app]`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Web {
    /// The keys of every component.
    #[serde(flatten)]
    pub common: Common,
    /// The name of the new IIS application; the default of Microsoft's installer.
    pub virtual_directory: VirtualDirectory,
    /// The IIS site; that of the old application.
    pub site: Option<String>,
    /// The IIS application pool, which must exist; that of the old application, if it is suitable.
    pub application_pool: Option<String>,
    /// More public properties for the installer; none by default.
    pub properties: BTreeMap<PropertyName, String>,
    /// How it is installed; `msi`.
    pub method: Method,
}

impl Web {
    /// A web component with defaults except for its virtual directory.
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

    /// The default of the web component `component`.
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
    /// The keys of every web component.
    #[serde(flatten)]
    pub web: Web,
    /// Its new URL if it is on another server; none by default: it is on this server.
    pub url: Option<SdkUrl>,
}

/// `[portal]`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Portal {
    /// The keys of every web component.
    #[serde(flatten)]
    pub web: Web,
    /// What happens to custom themes; `restore`. The article backs them up and never restores them.
    pub themes: Themes,
}

/// What happens to a component.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Upgraded if it is installed, otherwise skipped.
    #[default]
    Auto,
    /// Upgraded; it must be installed.
    Upgrade,
    /// Uninstalled, and not installed again.
    Remove,
    /// Not changed.
    Keep,
}

/// How a web component is installed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// By its Windows Installer package.
    #[default]
    Msi,
    /// By the operator in the MFA Server console: a gate has the instructions, and the result is verified.
    Console,
}

/// What happens to custom portal themes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Themes {
    /// Custom folders below `App_Themes` are restored and the theme of the old file is selected.
    #[default]
    Restore,
    /// They stay in the backup.
    Skip,
}

/// `[merge]`
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Merge {
    /// What happens to changes outside `appSettings` and `applicationSettings`; `apply`.
    pub other_changes: OtherChanges,
    /// What happens in a conflict; `stop`.
    pub on_conflict: OnConflict,
    /// What happens to encrypted sections; `stop`.
    #[serde(default)]
    pub on_encrypted: OnEncrypted,
    /// Decisions for individual conflicts; none by default.
    #[serde(default, rename = "decision", skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decision>,
}

/// What happens to a web.config with encrypted sections.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnEncrypted {
    /// The run is blocked.
    #[default]
    Stop,
    /// A private copy is decrypted for the merge, and the result is encrypted again.
    Decrypt,
}

/// `[[merge.decision]]`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Decision {
    /// The conflict, as shown in the preview. No other decision has the same.
    pub path: String,
    /// The side that wins.
    pub take: Side,
}

/// A gate that a plan can skip.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GateId {
    /// Run the MFA Server setup.
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

/// Skips a gate.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Skip {
    /// The reason, which the report shows. Written as `{ skip = "reason" }`.
    #[serde(rename = "skip")]
    pub reason: String,
}

/// `[preflight]`
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Preflight {
    /// IDs of the findings that are allowed; none by default.
    pub allow: Vec<String>,
}

/// `[verify]`
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Verification {
    /// More URLs to request before and after the upgrade; none by default.
    #[serde(rename = "url")]
    pub urls: Vec<PageUrl>,
}

/// `[[hook]]`: a program before or after a step.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Hook {
    /// The step, and whether to run before or after it. The procedure checks that the step exists.
    #[serde(flatten)]
    pub when: When,
    /// The program and its arguments; no shell is used.
    pub run: Program,
    /// How long it may take; 5 minutes.
    #[serde(with = "duration")]
    pub timeout: Duration,
}

/// Whether a hook runs before or after a step, given by its ID.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Before the step with this ID.
    Before(String),
    /// After the step with this ID.
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

/// The default of `[mobile-app]`, the only table that is just a [`Web`].
impl Default for Web {
    fn default() -> Self {
        Self::default_of(Component::MobileApp)
    }
}
