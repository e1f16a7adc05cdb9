//! A small strict reader for a parsed TOML file: it takes keys from tables, converts them to typed values and collects
//! all errors. What is left in a table at the end is unknown.

use super::duration;
use super::keys::{KEYS, KeyDoc, path};
use super::values::product_code;
use super::values::{Invalid, check_text};
use super::{MachinePath, PageUrl, Program, PropertyName, SdkUrl, Sha256Hex, SignedBy, VirtualDirectory};
use crate::names::ProductCode;
use crate::secret::is_secret;
use serde::de::{DeserializeOwned, IntoDeserializer, value::Error as ValueError};
use std::{collections::BTreeMap, ops::Range, time::Duration};
use toml::{Spanned, de::DeString, de::DeTable, de::DeValue};

/// An error, at a byte range of the file.
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) span: Range<usize>,
    pub(super) label: String,
    pub(super) hint: Option<String>,
    pub(super) also: Option<(Range<usize>, String)>,
    /// Whether something is missing, which may only seem so in a file with syntax errors.
    pub(super) absence: bool,
}

impl Problem {
    pub(super) fn new(message: impl Into<String>, span: Range<usize>, label: impl Into<String>) -> Self {
        Self { message: message.into(), span, label: label.into(), hint: None, also: None, absence: false }
    }

    pub(super) fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }

    pub(super) fn also(mut self, span: Option<Range<usize>>, label: impl Into<String>) -> Self {
        self.also = span.map(|span| (span, label.into()));
        self
    }
}

/// Collects the problems of a file, and the ranges of its values.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) problems: Vec<Problem>,
    spans: BTreeMap<String, Range<usize>>,
}

/// A table of the file whose keys are taken.
pub(super) struct Table<'a> {
    /// Its name in [`KEYS`].
    name: &'static str,
    /// Its range.
    pub(super) span: Range<usize>,
    entries: BTreeMap<&'a str, (Range<usize>, &'a Spanned<DeValue<'a>>)>,
}

impl<'a> Table<'a> {
    pub(super) fn new(name: &'static str, span: Range<usize>, table: &'a DeTable<'a>) -> Self {
        let entry = |(key, value): (&'a Spanned<DeString<'a>>, _)| (key.get_ref().as_ref(), (key.span(), value));
        Self { name, span, entries: table.iter().map(entry).collect() }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }
}

/// A value with its key.
#[derive(Clone, Copy)]
pub(super) struct Item<'a> {
    path: &'a str,
    /// The expected type.
    kind: &'a str,
    value: &'a Spanned<DeValue<'a>>,
}

/// A type that can be read from the value of a key; `None` if problems were reported.
pub(super) trait Value: Sized {
    fn read(reader: &mut Reader, item: Item<'_>) -> Option<Self>;
}

impl Reader {
    pub(super) fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// The range of a key's value, if the file has it.
    pub(super) fn span(&self, path: &str) -> Option<Range<usize>> {
        self.spans.get(path).cloned()
    }

    /// Takes a key from a table.
    pub(super) fn get<T: Value>(&mut self, table: &mut Table<'_>, key: &'static str) -> Option<T> {
        self.take(table, key, T::read)
    }

    /// Takes a key that allows only the values in its [`KeyDoc`], or its default.
    pub(super) fn choice<T: DeserializeOwned + Default>(&mut self, table: &mut Table<'_>, key: &'static str) -> T {
        self.chosen(table, key).unwrap_or_default()
    }

    /// [`Reader::choice`] of a key that has no default.
    pub(super) fn chosen<T: DeserializeOwned>(&mut self, table: &mut Table<'_>, key: &'static str) -> Option<T> {
        let values = find(table.name, key).map_or(&[][..], |doc| doc.values);
        let read = |reader: &mut Self, item: Item<'_>| {
            let text = reader.text(item)?;
            let allowed = values.contains(&text);
            let chosen = T::deserialize(IntoDeserializer::<ValueError>::into_deserializer(text)).ok();
            if !allowed || chosen.is_none() {
                let quoted: Vec<String> = values.iter().map(|value| format!("\"{value}\"")).collect();
                let invalid = Invalid::new("has an unknown value").hint(format!("allowed: {}", quoted.join(", ")));
                reader.invalid(item, invalid);
                return None;
            }
            chosen
        };
        self.take(table, key, read)
    }

    /// Takes a table from a table.
    pub(super) fn table<'a>(
        &mut self,
        table: &mut Table<'a>,
        key: &'static str,
        name: &'static str,
    ) -> Option<Table<'a>> {
        let (_, value) = table.entries.get(key)?.clone();
        self.take(table, key, |reader, item| match item.value.get_ref() {
            DeValue::Table(_) => Some(()),
            _ => reader.wrong_type(item),
        })?;
        Some(Table::new(name, value.span(), value.get_ref().as_table()?))
    }

    /// Takes an array of tables from a table.
    pub(super) fn tables<'a>(
        &mut self,
        table: &mut Table<'a>,
        key: &'static str,
        name: &'static str,
    ) -> Vec<Table<'a>> {
        let Some((_, value)) = table.entries.get(key).cloned() else { return Vec::new() };
        let checked = self.take(table, key, |reader, item| match item.value.get_ref() {
            DeValue::Array(items) if items.iter().all(|item| item.get_ref().is_table()) => Some(()),
            DeValue::Table(_) => {
                let message = format!("`[{name}]` must be `[[{name}]]`");
                let hint = "there can be several of them, so each is written with two pairs of brackets".to_owned();
                reader.problem(Problem::new(message, item.value.span(), "one pair of brackets").hint(hint));
                None
            }
            _ => reader.wrong_type(item),
        });
        let items = value.get_ref().as_array().filter(|_| checked.is_some());
        let table = |item: &'a Spanned<DeValue<'a>>| Some(Table::new(name, item.span(), item.get_ref().as_table()?));
        items.into_iter().flat_map(|items| items.iter()).filter_map(table).collect()
    }

    fn take<T>(
        &mut self,
        table: &mut Table<'_>,
        key: &'static str,
        read: impl FnOnce(&mut Self, Item<'_>) -> Option<T>,
    ) -> Option<T> {
        let doc = find(table.name, key);
        debug_assert!(doc.is_some(), "`{key}` of `{}` is not in KEYS", table.name);
        let (_, value) = table.entries.remove(key)?;
        let path = path(table.name, key);
        let taken = read(self, Item { path: &path, kind: doc?.kind, value });
        self.spans.insert(path, value.span());
        taken
    }

    /// Reports a missing key.
    pub(super) fn missing(&mut self, table: &Table<'_>, message: &str, hint: &str) {
        let problem = Problem::new(message, table.span.clone(), "").hint(hint.to_owned());
        self.problem(Problem { absence: true, ..problem });
    }

    /// Reports the unknown keys that are left in a table.
    pub(super) fn finish(&mut self, table: Table<'_>) {
        for (key, (span, _)) in table.entries {
            let shown = key.escape_debug();
            let message = match table.name {
                "" => format!("unknown key `{shown}`"),
                name => format!("unknown key `{shown}` in `{name}`"),
            };
            self.problem(Problem::new(message, span, "").hint(known_key(table.name, key)));
        }
    }

    fn text<'a>(&mut self, item: Item<'a>) -> Option<&'a str> {
        match item.value.get_ref().as_str() {
            Some(text) => Some(text),
            None => self.wrong_type(item),
        }
    }

    /// Reads a text that `check` converts to a value.
    fn checked<T>(&mut self, item: Item<'_>, check: impl FnOnce(&str) -> Result<T, Invalid>) -> Option<T> {
        let text = self.text(item)?;
        check(text).map_err(|invalid| self.invalid(item, invalid)).ok()
    }

    fn invalid(&mut self, item: Item<'_>, Invalid { label, hint }: Invalid) {
        let message = format!("`{}` {label}", item.path);
        self.problem(Problem::new(message, item.value.span(), "").hint(hint));
    }

    fn wrong_type<T>(&mut self, item: Item<'_>) -> Option<T> {
        let message = format!("`{}` has the wrong type", item.path);
        let label = format!("expected {}, found {}", item.kind, type_name(item.value.get_ref()));
        self.problem(Problem::new(message, item.value.span(), label));
        None
    }
}

/// The row of [`KEYS`] for a key of a table.
fn find(table: &str, key: &str) -> Option<&'static KeyDoc> {
    KEYS.iter().find(|doc| doc.key == key && doc.tables.contains(&table))
}

/// A hint for an unknown key.
fn known_key(table: &str, key: &str) -> String {
    let known = || KEYS.iter().filter(|doc| doc.tables.contains(&table)).map(|doc| doc.key);
    let close = |known: &&str| distance(known, key) <= known.len() / 3 || (key.len() > 3 && known.starts_with(key));
    if let Some(nearest) = known().filter(close).min_by_key(|known| distance(known, key)) {
        return format!("did you mean `{nearest}`?");
    }
    if let Some(doc) = KEYS.iter().find(|doc| doc.key == key) {
        let tables: Vec<String> = doc.tables.iter().filter(|t| !t.is_empty()).map(|t| format!("`[{t}]`")).collect();
        let tables = if tables.is_empty() { "the top of the file".to_owned() } else { tables.join(", ") };
        return format!("`{key}` belongs to {tables}");
    }
    format!("allowed here: {}", known().collect::<Vec<_>>().join(", "))
}

/// The edit distance of `a` and `b`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for (to, above) in b.iter().zip(row.windows(2)) {
            let left = next.last().copied().unwrap_or_default();
            next.push((above[0] + usize::from(from != *to)).min(above[1] + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(true) => "true",
        DeValue::Boolean(false) => "false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

/// Values from a text, checked by a function.
macro_rules! read_from_text {
    ($($name:ty => $check:expr),* $(,)?) => {$(
        impl Value for $name {
            fn read(reader: &mut Reader, item: Item<'_>) -> Option<Self> {
                reader.checked(item, $check)
            }
        }
    )*};
}

read_from_text! {
    String => |text| check_text(text).map(|()| text.to_owned()),
    MachinePath => |text| MachinePath::new(text),
    Sha256Hex => |text| Sha256Hex::new(text),
    ProductCode => product_code,
    VirtualDirectory => |text| VirtualDirectory::new(text),
    SdkUrl => |text| SdkUrl::new(text),
    PageUrl => |text| PageUrl::new(text),
    Duration => duration::parse,
    Id => Id::check,
}

/// An ID, such as `uninstall-portal`.
pub(super) struct Id(pub(super) String);

impl Id {
    fn check(text: &str) -> Result<Self, Invalid> {
        let kebab = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        match text.split('-').all(kebab) {
            true => Ok(Self(text.to_owned())),
            false => Err(Invalid::new("is not an ID").hint("IDs are lowercase, with hyphens, as shown in the preview")),
        }
    }
}

impl Value for i64 {
    fn read(reader: &mut Reader, item: Item<'_>) -> Option<Self> {
        let DeValue::Integer(number) = item.value.get_ref() else { return reader.wrong_type(item) };
        // A number that is too large for the type is unknown anyway.
        Some(Self::from_str_radix(number.as_str(), number.radix()).unwrap_or(Self::MAX))
    }
}

impl Value for SignedBy {
    fn read(reader: &mut Reader, item: Item<'_>) -> Option<Self> {
        match item.value.get_ref() {
            DeValue::Boolean(false) => Some(Self::Unsigned),
            DeValue::String(_) => String::read(reader, item).map(Self::Name),
            _ => reader.wrong_type(item),
        }
    }
}

impl<T: Value> Value for Vec<T> {
    fn read(reader: &mut Reader, item: Item<'_>) -> Option<Self> {
        let DeValue::Array(values) = item.value.get_ref() else { return reader.wrong_type(item) };
        let read: Vec<Option<T>> =
            values.iter().map(|value| T::read(reader, Item { value, kind: "text", ..item })).collect();
        read.into_iter().collect()
    }
}

/// An argument of a program.
pub(super) struct Argument(pub(super) String);

impl Value for Argument {
    fn read(reader: &mut Reader, item: Item<'_>) -> Option<Self> {
        reader.checked(item, |text| {
            if !text.is_empty() {
                check_text(text)?;
            }
            // NAME=value, NAME:value, or a switch whose value is the next argument.
            let name = text.split(['=', ':']).next().unwrap_or_default();
            if is_secret(name) && (name.len() < text.len() || name.starts_with(['-', '/'])) {
                return Err(Invalid::new("contains what looks like a secret; the plan is stored with the run")
                    .hint("let the program read it from elsewhere"));
            }
            Ok(Self(text.to_owned()))
        })
    }
}

impl Value for Program {
    fn read(reader: &mut Reader, item: Item<'_>) -> Option<Self> {
        let words = Vec::<Argument>::read(reader, item)?.into_iter().map(|word| word.0).collect::<Vec<_>>();
        Self::try_from(words).map_err(|invalid| reader.invalid(item, invalid)).ok()
    }
}

impl Value for BTreeMap<PropertyName, String> {
    fn read(reader: &mut Reader, item: Item<'_>) -> Option<Self> {
        let DeValue::Table(table) = item.value.get_ref() else { return reader.wrong_type(item) };
        let mut properties = Self::new();
        for (key, value) in table {
            let path = format!("{}.{}", item.path, key.get_ref().escape_debug());
            let entry = Item { path: &path, kind: "text", value };
            let name = PropertyName::new(key.get_ref().as_ref());
            if let Err(Invalid { label, hint }) = &name {
                reader.problem(Problem::new(format!("`{path}` {label}"), key.span(), "").hint(hint.clone()));
            }
            let value = match value.get_ref() {
                DeValue::String(text) if text.is_empty() => Some(String::new()),
                DeValue::String(_) => String::read(reader, entry),
                _ => reader.wrong_type(entry),
            };
            properties.extend(name.ok().zip(value));
        }
        Some(properties)
    }
}
