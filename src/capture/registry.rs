//! The relevant registry keys: those of the product, and those of Windows Installer about our products.

use super::{Capture, Placeholders};
use crate::package::{Place, RegistryRoot, Search, packed_code, unpacked_code};
use crate::platform::Failure;
use crate::platform::facts::Bits;
use crate::platform::registry::{Key, Tree, Value, View};
use crate::secret::is_secret;
use crate::survey::products::{ADVERTISED, component_of};
use crate::webconfig::{Shown, placeholder};
use std::collections::BTreeSet;

const PRODUCT: &str = r"Positive Networks\PhoneFactor";
const UNINSTALL: &str = r"Microsoft\Windows\CurrentVersion\Uninstall";
const USER_DATA: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\UserData";

impl Capture<'_> {
    pub(super) fn registry(&mut self) -> Result<(), Failure> {
        let mut roots = vec![r"HKLM\SOFTWARE", r"HKCU\SOFTWARE"];
        if self.facts.system.bits == Bits::X64 {
            roots.extend([r"HKLM\SOFTWARE\Wow6432Node", r"HKCU\SOFTWARE\Wow6432Node"]);
        }
        let mut codes = BTreeSet::new();
        for root in roots {
            self.key(&format!(r"{root}\{PRODUCT}"))?;
            let uninstall = format!(r"{root}\{UNINSTALL}");
            for code in self.keys_below(&uninstall)? {
                let path = format!(r"{uninstall}\{code}");
                if self.machine.registry_key(View::Native, &path)?.is_some_and(|key| is_ours(&key)) {
                    self.key(&path)?;
                    codes.insert(code.to_ascii_uppercase());
                }
            }
        }
        for packed in codes.iter().filter_map(|code| packed_code(code)) {
            for products in ADVERTISED {
                self.key(&format!(r"{products}\{packed}"))?;
            }
        }
        for user in self.keys_below(USER_DATA)? {
            let products = format!(r"{USER_DATA}\{user}\Products");
            for packed in self.keys_below(&products)? {
                let path = format!(r"{products}\{packed}");
                let known = unpacked_code(&packed).is_some_and(|code| codes.contains(&code));
                let properties = format!(r"{path}\InstallProperties");
                if known || self.machine.registry_key(View::Native, &properties)?.is_some_and(|key| is_ours(&key)) {
                    self.key(&path)?;
                }
            }
        }
        Ok(())
    }

    /// Captures the values that a package searches for, and nothing else of their keys.
    pub(super) fn searched(&mut self, searches: &[Search]) -> Result<(), Failure> {
        for search in searches {
            let Place::Registry { root: RegistryRoot::LocalMachine, key, name, wide } = &search.place else { continue };
            let view = if *wide || self.facts.system.bits == Bits::X86 { View::Native } else { View::Wow32 };
            let found = self.machine.registry_key(view, &format!(r"HKLM\{key}"))?;
            if let Some(value) = found.as_ref().and_then(|found| found.value(name)).filter(|_| !is_secret(name)) {
                self.facts.set_registry(view, &format!(r"HKLM\{key}"), name, value.clone());
            }
        }
        Ok(())
    }

    fn keys_below(&self, path: &str) -> Result<Vec<String>, Failure> {
        Ok(self.machine.registry_key(View::Native, path)?.unwrap_or_default().keys)
    }

    /// Captures a key with all subkeys, if it exists.
    fn key(&mut self, path: &str) -> Result<(), Failure> {
        let Some(mut tree) = self.machine.registry_tree(View::Native, path)? else { return Ok(()) };
        let values = without_secrets(&mut tree);
        if values > 0 {
            self.captured.placeholders.push(Placeholders { of: path.to_owned(), values });
        }
        self.facts.registry.import(path, &tree);
        Ok(())
    }
}

/// Whether a product is an old or new one of ours, has the same publisher, or a similar name.
fn is_ours(key: &Key) -> bool {
    let text = |name: &str| key.text(name).unwrap_or_default().to_lowercase();
    let (name, publisher) = (text("DisplayName"), text("Publisher"));
    component_of(&name).is_some()
        || ["phonefactor", "multi-factor authentication"].iter().any(|words| name.contains(words))
        || ["phonefactor", "positive networks"].iter().any(|words| publisher.contains(words))
}

/// Replaces secrets in a tree with placeholders. Returns how many.
fn without_secrets(tree: &mut Tree) -> usize {
    let mut count = 0;
    for (name, value) in &mut tree.values {
        let mut masked = |text: &mut String| {
            if !text.is_empty() && (is_secret(name) || Shown::of("", text) == Shown::Masked) {
                *text = placeholder(text);
                count += 1;
            }
        };
        match value {
            Value::Text(text) | Value::Expand { expand: text } => masked(text),
            Value::List(texts) => texts.iter_mut().for_each(masked),
            Value::Number(number) if is_secret(name) => *number = 0,
            Value::Binary { bytes, .. } if is_secret(name) => bytes.fill(0),
            Value::Number(_) | Value::Binary { .. } => {}
        }
    }
    count + tree.keys.values_mut().map(without_secrets).sum::<usize>()
}
