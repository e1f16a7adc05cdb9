//! Simulates `aspnet_regiis.exe -pef` and `-pdf` (learn.microsoft.com, "Encrypting Configuration Information Using
//! Protected Configuration"): the encrypted form of a section is its markup in hexadecimal.

use crate::platform::disk::{self, Disk};
use crate::platform::{Context, Failure};
use crate::winpath::WinPath;
use roxmltree::{Document, Node};

const LIMIT: u64 = 1 << 20;
const USUAL: &str = "RsaProtectedConfigurationProvider";

/// Encrypts or decrypts a section, according to the arguments. The inner error is what the program would print.
pub(super) fn protect(disk: &dyn Disk, arguments: &[String]) -> Result<Result<(), String>, Failure> {
    let (verb, section, folder) = match arguments {
        [verb, section, folder, ..] if verb == "-pef" || verb == "-pdf" => (verb.as_str(), section, folder),
        _ => return Ok(Err("the arguments are not -pef or -pdf, a section and a folder".to_owned())),
    };
    let provider = match arguments.get(3..) {
        Some([option, name]) if option == "-prov" => name,
        _ => USUAL,
    };
    let doing = format!("protect {section} in {folder}");
    let folder = WinPath::new(folder).context(&doing)?;
    let file = folder.child("web.config");
    let text = read(disk, &file, &doing)?;
    let tree = Document::parse(&text).context(&doing)?;
    let found = section.split('/').try_fold(tree.root_element(), |node, name| child(node, name));
    let Some(found) = found else {
        return Ok(Err(format!("The configuration section '{section}' was not found.")));
    };
    match found.attribute("configSource") {
        None => change(disk, &file, &text, found, verb, provider).context(doing),
        Some(other) => {
            let file = folder.join(other).context(&doing)?;
            let text = read(disk, &file, &doing)?;
            let tree = Document::parse(&text).context(&doing)?;
            change(disk, &file, &text, tree.root_element(), verb, provider).context(doing)
        }
    }
}

fn read(disk: &dyn Disk, file: &WinPath, doing: &str) -> Result<String, Failure> {
    String::from_utf8(disk::read(disk.as_read(), file, LIMIT).context(doing)?).context(doing)
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.tag_name().name() == name)
}

/// Nothing changes if the section already has the requested state.
fn change(
    disk: &dyn Disk,
    file: &WinPath,
    text: &str,
    node: Node<'_, '_>,
    verb: &str,
    provider: &str,
) -> std::io::Result<Result<(), String>> {
    let is_encrypted = node.has_attribute("configProtectionProvider");
    if is_encrypted == (verb == "-pef") {
        return Ok(Ok(()));
    }
    let markup = match is_encrypted {
        true => {
            let value = node.descendants().find(|inner| inner.tag_name().name() == "CipherValue");
            match value.and_then(|value| plain(value.text()?)) {
                Some(markup) => markup,
                None => return Ok(Err("Failed to decrypt: the key of this machine is another one.".to_owned())),
            }
        }
        false => cipher(&text[node.range()], node.tag_name().name(), provider),
    };
    let text = format!("{}{markup}{}", &text[..node.range().start], &text[node.range().end..]);
    disk::replace(disk, file, text.as_bytes()).map(Ok)
}

/// The encrypted form of a section.
fn cipher(markup: &str, name: &str, provider: &str) -> String {
    let value: String = markup.bytes().map(|byte| format!("{byte:02X}")).collect();
    format!(
        "<{name} configProtectionProvider=\"{provider}\"><EncryptedData><CipherData><CipherValue>{value}</CipherValue>\
         </CipherData></EncryptedData></{name}>"
    )
}

fn plain(value: &str) -> Option<String> {
    let digits: Vec<u32> = value.chars().filter_map(|digit| digit.to_digit(16)).collect();
    let bytes = digits.chunks_exact(2).filter_map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect();
    String::from_utf8(bytes).ok()
}
