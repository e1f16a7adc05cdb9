//! The sections that a machine declares: .NET Framework 2.0 to 4.8 in machine.config and the root web.config, and IIS
//! in applicationHost.config. What they declare in a group is listed where an application cannot add to it without
//! declaring it itself.

use crate::webconfig::schema::collections::tag;

const SECTIONS: [&str; 27] = [
    "appSettings",
    "assemblyBinding",
    "assemblySettings",
    "configBuilders",
    "configProtectedData",
    "configSections",
    "connectionStrings",
    "location",
    "mscorlib",
    "runtime",
    "satelliteassemblies",
    "startup",
    "strongNames",
    "system.codedom",
    "system.data",
    "system.data.dataset",
    "system.data.odbc",
    "system.data.oledb",
    "system.data.oracleclient",
    "system.data.sqlclient",
    "system.diagnostics",
    "system.runtime.remoting",
    "system.windows.forms",
    "uri",
    "windows",
    "system.web/caching",
    "system.applicationHost",
];

/// Groups in which the machine declares more than is listed here; IIS lets anybody add to its own.
const GROUPS: [&str; 12] = [
    "system.ftpServer",
    "system.net",
    "system.runtime.caching",
    "system.runtime.serialization",
    "system.serviceModel",
    "system.serviceModel.activation",
    "system.transactions",
    "system.web.extensions",
    "system.webServer",
    "system.workflow",
    "system.xaml.hosting",
    "system.xml.serialization",
];

const WEB: [&str; 38] = [
    "anonymousIdentification",
    "authentication",
    "authorization",
    "browserCaps",
    "clientTarget",
    "compilation",
    "customErrors",
    "deployment",
    "deviceFilters",
    "fullTrustAssemblies",
    "globalization",
    "healthMonitoring",
    "hostingEnvironment",
    "httpCookies",
    "httpHandlers",
    "httpModules",
    "httpRuntime",
    "identity",
    "machineKey",
    "membership",
    "mobileControls",
    "pages",
    "partialTrustVisibleAssemblies",
    "processModel",
    "profile",
    "protocols",
    "roleManager",
    "securityPolicy",
    "sessionPageState",
    "sessionState",
    "siteMap",
    "trace",
    "trust",
    "urlMappings",
    "webControls",
    "webParts",
    "webServices",
    "xhtmlConformance",
];

/// What IIS locks in a web.config unless an administrator has unlocked it (applicationHost.config as IIS installs it).
const LOCKED: [&[&str]; 15] = [
    &["asp"],
    &["cgi"],
    &["httpLogging"],
    &["httpTracing"],
    &["isapiFilters"],
    &["odbcLogging"],
    &["rewrite", "allowedServerVariables"],
    &["security", "access"],
    &["security", "authentication"],
    &["security", "dynamicIpSecurity"],
    &["security", "ipSecurity"],
    &["serverRuntime"],
    &["serverSideInclude"],
    &["webdav"],
    &["webSocket"],
];

/// Whether IIS locks the section at these steps.
pub(crate) fn is_locked(steps: &[String]) -> bool {
    let mut steps = steps.iter().map(|step| tag(step)).skip_while(|tag| *tag == "location");
    steps.next() == Some("system.webServer") && LOCKED.contains(&&*steps.collect::<Vec<&str>>())
}

/// Whether the machine declares the section at this path.
pub(crate) fn is_section(path: &str) -> bool {
    SECTIONS.contains(&path) || path.strip_prefix("system.web/").is_some_and(|section| WEB.contains(&section))
}

/// Whether the machine may declare what stands at this path: a section or a group, or something in one of which not all is
/// known here.
pub(crate) fn may_be_known(path: &str) -> bool {
    is_section(path) || has_group(path) || path.split_once('/').is_some_and(|(group, _)| !knows_all_of(group))
}

/// Whether the machine has a group of that name.
pub(crate) fn has_group(path: &str) -> bool {
    knows_all_of(path) || GROUPS.contains(&path)
}

/// Whether the machine has a group of that name, all sections of which are known here.
pub(crate) fn knows_all_of(path: &str) -> bool {
    path == "system.web"
}
