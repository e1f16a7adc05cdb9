//! Collections: which elements are lists, what names their items, and what an element is called among its siblings.
//!
//! The table says what the schemas of IIS, ASP.NET, the .NET Framework, URL Rewrite and WebDAV say (`*_schema.xml` below
//! `inetsrv\config\schema`), and the reference of system.serviceModel. In a list that it does not have, an item goes by
//! its name, or by all its attributes.

use crate::secret::{holds_secret, is_secret};
use crate::webconfig::text::elements;
use roxmltree::{Attribute, Node};
use std::{borrow::Cow, collections::HashMap, fmt, sync::LazyLock};

/// Lists, each by its tag, or by its parent's and its own; the tags of their items; the attributes that are their key,
/// with the defaults of those that may be missing; and what else holds:
/// - `ordered`: order is meaning, because the first item that fits decides;
/// - `exact`: keys compare with case;
/// - `ATTRIBUTE=DEFAULT`: an attribute with a default that decides what an item does, such as `enabled`.
pub(crate) type Line = (&'static str, &'static str, &'static str, &'static str);

/// Of two lines for one list and one tag, the one that names the parent counts. Items without a key go by all their
/// attributes.
pub(crate) const TABLE: [Line; 74] = [
    ("appSettings provider/settings", "add", "key", ""),
    ("rewriteMap", "add", "key", "exact"),
    ("bufferModes conformanceWarnings connectionStrings customHeaders databases eventMappings", "add", "name", ""),
    ("folderLevelBuildProviders httpModules listeners sharedListeners switches transformers", "add", "name", ""),
    ("healthMonitoring/profiles healthMonitoring/rules profile/properties properties/group", "add", "name", ""),
    ("protocols redirectHeaders schemaImporterExtensions allowedServerVariables", "add", "name", ""),
    ("windowsAuthentication/providers defaultDocument/files", "add", "value", "ordered"),
    ("rewrite/providers", "provider", "name", ""),
    ("providers", "add", "name", "ordered"),
    ("modules", "add", "name", "exact"),
    ("handlers", "add", "name", "ordered exact"),
    ("httpHandlers", "add", "path verb", "ordered validate=true"),
    ("manyToOneMappings", "add", "name", "enabled=true"),
    ("oneToOneMappings", "add", "certificate", "exact enabled=true"),
    ("isapiFilters", "filter", "name", "exact enabled=true"),
    ("deviceFilters", "filter", "name", ""),
    ("profile/properties", "group", "name", ""),
    ("credentials", "user", "name", ""),
    ("mobileControls", "device", "name", ""),
    ("securityPolicy", "trustLevel", "name", ""),
    ("sources", "source", "name", ""),
    ("compilers", "compiler", "language extension", ""),
    ("DbProviderFactories", "add", "invariant", ""),
    ("authenticationModules soapExtensionImporterTypes soapExtensionReflectorTypes", "add", "type", ""),
    ("soapTransportImporterTypes serviceDescriptionFormatExtensionTypes", "add", "type", ""),
    ("securityTokenHandlers", "add", "type", ""),
    ("soapExtensionTypes", "add", "type group=Low priority=0", ""),
    ("bypasslist connectionManagement", "add", "address", ""),
    ("clientTarget", "add", "alias", ""),
    ("compilation/assemblies", "add", "assembly", ""),
    ("partialTrustVisibleAssemblies fullTrustAssemblies", "add", "assemblyName", ""),
    ("buildProviders caching/profiles", "add", "extension", ""),
    ("fileExtensions", "add", "fileExtension", "allowed=true"),
    ("appliesTo", "add", "fileExtension", ""),
    ("codeSubDirectories", "add", "directoryName", ""),
    ("expressionBuilders", "add", "expressionPrefix", ""),
    ("customErrors", "error", "statusCode", ""),
    ("httpErrors", "error", "statusCode subStatusCode=-1", ""),
    ("pages/namespaces", "add", "namespace", ""),
    ("tagMapping", "add", "tagType", ""),
    ("urlMappings alwaysAllowedUrls", "add", "url", ""),
    ("outputCacheProfiles", "add", "name", "enabled=true"),
    ("httpRedirect", "add", "wildcard", "ordered"),
    ("staticTypes dynamicTypes", "add", "mimeType", "enabled=true"),
    ("applicationInitialization", "add", "initializationPage", ""),
    ("extendedProtection", "spn", "name", ""),
    ("security/authorization", "add", "users roles verbs", "ordered"),
    ("authoringRules", "add", "users roles path", "ordered"),
    ("ipSecurity", "add", "ipAddress subnetMask=255.255.255.255 domainName", "ordered allowed=false"),
    ("authorization", "allow deny", "", "ordered"),
    ("headerLimits", "add", "header", ""),
    ("verbs", "add", "verb", "exact allowed=true"),
    ("hiddenSegments", "add", "segment", ""),
    ("denyUrlSequences denyQueryStringSequences", "add", "sequence", ""),
    ("alwaysAllowedQueryStrings", "add", "queryString", ""),
    ("filteringRules", "filteringRule", "name", ""),
    ("scanHeaders", "add", "requestHeader", ""),
    ("denyStrings", "add", "string", ""),
    ("staticContent", "mimeMap", "fileExtension", ""),
    ("traceFailedRequests", "add", "path", ""),
    ("traceAreas", "add", "provider", ""),
    ("authoring/properties", "add", "xmlNamespace", ""),
    ("rules outboundRules globalRules", "rule", "name", "ordered enabled=true"),
    ("serverVariables", "set", "name", ""),
    ("customTags", "tags", "name", ""),
    ("tags", "tag", "name attribute", ""),
    ("preConditions", "preCondition", "name", ""),
    ("rewriteMaps", "rewriteMap", "name", ""),
    ("webRequestModules baseAddressPrefixFilters", "add", "prefix", ""),
    ("baseAddresses", "add", "baseAddress", ""),
    ("serviceActivations", "add", "relativeAddress", ""),
    ("protocolMapping", "add", "scheme", ""),
    ("trustedIssuers", "add", "thumbprint", ""),
    ("cors", "add", "origin", ""),
];

/// What the schema says of a list.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct List(&'static Line);

/// The tag of the parent that a line asks for, and the line.
type OfParent = (Option<&'static str>, &'static Line);

/// The lines of the table by the tag of the list, each with the tag of the parent that it asks for.
static BY_TAG: LazyLock<HashMap<&str, Vec<OfParent>>> = LazyLock::new(|| {
    let mut by_tag: HashMap<_, Vec<_>> = HashMap::new();
    for line in &TABLE {
        for list in line.0.split(' ') {
            let (parent, tag) = list.split_once('/').map_or((None, list), |(parent, tag)| (Some(parent), tag));
            by_tag.entry(tag).or_default().push((parent, line));
        }
    }
    by_tag
});

impl List {
    /// The list that an element is for items of this tag; `None` where the table has none.
    pub(crate) fn of(element: Node<'_, '_>, item: &str) -> Option<Self> {
        let parent = element.parent_element().map_or("", |parent| parent.tag_name().name());
        let lines = BY_TAG.get(element.tag_name().name())?;
        let is_it = |(around, line): &&OfParent| {
            around.is_none_or(|around| around == parent)
                && (takes_back(item) || line.1.split(' ').any(|tag| tag == item))
        };
        // Of two lines, the one that names the parent says more.
        let found = lines.iter().filter(is_it).max_by_key(|(around, _)| around.is_some());
        found.map(|(_, line)| Self(line))
    }

    /// The attributes of the key, with their defaults.
    fn keys(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.0.2.split_whitespace().map(|key| key.split_once('=').unwrap_or((key, "")))
    }

    fn has(self, flag: &str) -> bool {
        self.0.3.split_whitespace().any(|it| it == flag)
    }

    /// Whether the first item that fits decides, so that order is meaning.
    pub(crate) fn is_ordered(self) -> bool {
        self.has("ordered")
    }

    /// Whether its items have a key; otherwise they go by all they say, and may be there twice.
    pub(crate) fn has_key(self) -> bool {
        !self.0.2.is_empty()
    }

    /// What an attribute of an item is where it is missing; `None` where that is not known.
    fn default_of(self, attribute: &str) -> Option<&'static str> {
        let switch = self.0.3.split_whitespace().filter_map(|flag| flag.split_once('='));
        let keys = self.keys().filter(|(_, default)| !default.is_empty());
        keys.chain(switch).find(|(name, _)| *name == attribute).map(|(_, default)| default)
    }

    /// The key, defaults included: it compares items, and a `remove` takes them back by it.
    pub(crate) fn key(self, item: Node<'_, '_>) -> String {
        let of = |(name, default): (&str, &'static str)| item.attribute(name).unwrap_or(default).to_owned();
        let key = self.keys().map(of).collect::<Vec<_>>().join("\0");
        if self.has("exact") { key } else { key.to_lowercase() }
    }

    /// The key as a person reads it; `None` where an item has none of it.
    fn name(self, item: Node<'_, '_>) -> Option<Cow<'static, str>> {
        let said = |(name, default): (&'static str, &str)| {
            item.attribute(name).filter(|said| *said != default).map(|said| (name, said.to_owned()))
        };
        let all: Vec<_> = self.keys().filter_map(said).collect();
        let first = self.keys().next()?.0;
        match &all[..] {
            [] => None,
            [(name, said)] if *name == first => Some(Cow::Owned(said.clone())),
            _ => Some(all.iter().map(|(name, said)| format!("{name}={said}")).collect::<Vec<_>>().join(",").into()),
        }
    }
}

/// What an attribute of an element is where it is missing; `None` where that is not known.
pub(crate) fn default_of(node: Node<'_, '_>, attribute: &str) -> Option<&'static str> {
    List::of(node.parent_element()?, node.tag_name().name())?.default_of(attribute)
}

/// Whether an element is in a list of which the first item that fits decides.
pub(crate) fn is_ordered(node: Node<'_, '_>) -> bool {
    node.parent_element().and_then(|parent| List::of(parent, node.tag_name().name())).is_some_and(List::is_ordered)
}

/// Whether an element is an item of a list: of one in the table, or one that has a name of its own.
pub(crate) fn is_in_list(node: Node<'_, '_>) -> bool {
    let tag = node.tag_name().name();
    let Some(parent) = node.parent_element() else { return false };
    is_item(tag) || List::of(parent, tag).is_some() || (!holds_sections(parent) && is_named(node))
}

/// Whether elements of this tag take back items of what stands before them, or of files further up.
pub(crate) fn takes_back(tag: &str) -> bool {
    matches!(tag, "remove" | "removeSpn") || clears(tag)
}

/// Whether elements of this tag take back all items.
pub(crate) fn clears(tag: &str) -> bool {
    matches!(tag, "clear" | "clearSpns")
}

/// Items of any collection.
const ITEMS: [&str; 4] = ["add", "allow", "deny", "remove"];

/// What names an element that the table does not have, the first of these that it has.
const NAMES: [&str; 3] = ["key", "name", "id"];

/// What a child is called in its parent: `tag`, or `tag[what names it]`, and a number for those called alike.
#[derive(Clone)]
pub(crate) struct Step<'t> {
    pub(crate) tag: &'t str,
    pub(crate) name: Option<Cow<'t, str>>,
    /// From 1; the second and later ones of the same name are told apart by their place only.
    pub(crate) number: usize,
    /// Names compare with case.
    pub(crate) is_exact: bool,
}

/// What tells a step from others, in small letters where case does not count.
pub(crate) type Key<'t> = (&'t str, Option<String>, usize);

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag)?;
        self.name.iter().try_for_each(|name| write!(f, "[{name}]"))?;
        if self.number > 1 { write!(f, "#{}", self.number) } else { Ok(()) }
    }
}

impl<'t> Step<'t> {
    /// What an element is called as a child of this parent.
    pub(crate) fn of(node: Node<'t, '_>, parent: Option<Node<'_, '_>>) -> Self {
        let tag = node.tag_name().name();
        let list = parent.and_then(|parent| List::of(parent, tag));
        let is_exact = list.is_some_and(|list| list.has("exact"));
        let by_itself = || match parent.is_some_and(holds_sections) && !is_item(tag) && tag != "location" {
            true => None,
            false => name_of(node).or_else(|| is_item(tag).then(|| by_attributes(node).map(Cow::Owned))?),
        };
        let name = list.and_then(|list| list.name(node)).or_else(by_itself);
        Self { tag, name, number: 1, is_exact }
    }

    pub(crate) fn key(&self) -> Key<'t> {
        let folded = |name: &Cow<'_, str>| if self.is_exact { name.to_string() } else { name.to_lowercase() };
        (self.tag, self.name.as_ref().map(folded), self.number)
    }
}

/// `name`, or `name[what names it]`.
pub(crate) fn step<'t>(node: Node<'t, 't>) -> String {
    Step::of(node, node.parent_element()).to_string()
}

/// Whether elements of this tag are items of a collection, whatever it is.
pub(crate) fn is_item(tag: &str) -> bool {
    ITEMS.contains(&tag)
}

/// What names an element that is in no list of the table.
fn name_of<'a>(node: Node<'a, '_>) -> Option<Cow<'a, str>> {
    let of = |name: &str| node.attributes().find(|it| it.namespace().is_none() && it.name() == name);
    match node.tag_name().name() {
        // Its name is that of a cookie.
        "forms" => None,
        "location" => node.attribute("path").map(|path| path.trim().trim_matches('/').into()),
        "dependentAssembly" => {
            let identity = elements(node).find(|child| child.tag_name().name() == "assemblyIdentity")?;
            identity.attribute("name").map(Cow::Borrowed)
        }
        // The default of its kind, where it has no name.
        "behavior" | "binding" => Some(node.attribute("name").unwrap_or_default().into()),
        _ => NAMES.into_iter().find_map(of).map(|attribute| attribute.value().into()),
    }
}

/// Whether an element that is in no list of the table has a name.
pub(crate) fn is_named(node: Node<'_, '_>) -> bool {
    name_of(node).is_some()
}

/// Whether the children of an element are sections.
pub(crate) fn holds_sections(parent: Node<'_, '_>) -> bool {
    parent.parent_element().is_none() || parent.tag_name().name() == "system.web"
}

/// What names an item without a key: all its attributes, versions and secrets aside, and `value` only where it stands
/// alone.
pub(crate) fn by_attributes(node: Node<'_, '_>) -> Option<String> {
    let is_shown = |attribute: &Attribute<'_, '_>| !is_secret(attribute.name()) && !holds_secret(attribute.value());
    let said = |attribute: Attribute<'_, '_>| format!("{}={}", attribute.name(), without_version(attribute.value()));
    let is_value = |attribute: &Attribute<'_, '_>| attribute.name() == "value";
    let mut all: Vec<String> = node.attributes().filter(|it| !is_value(it) && is_shown(it)).map(said).collect();
    if all.is_empty() && !node.parent_element().is_some_and(|parent| is_secret(parent.tag_name().name())) {
        all = node.attributes().filter(|it| is_value(it) && is_shown(it)).map(said).collect();
    }
    all.sort();
    (!all.is_empty()).then(|| all.join(","))
}

/// The name of an assembly without what follows it.
pub(crate) fn without_version(value: &str) -> &str {
    value.split(", Version=").next().unwrap_or_default()
}

/// The element's name in a step.
pub(crate) fn tag(step: &str) -> &str {
    step.split(['[', '#']).next().unwrap_or(step)
}
