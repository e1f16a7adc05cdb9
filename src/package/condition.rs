//! Conditions of Windows Installer: `NOT Installed AND VersionNT >= 600`.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// An invalid condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the condition `{condition}` is invalid: {why}")]
pub struct ConditionError {
    /// The whole condition.
    pub condition: String,
    /// What is wrong with it.
    pub why: String,
}

const MAX_DEPTH: u32 = 64;
const MAX_LENGTH: usize = 16 << 10;

/// Whether a condition is true for these properties; an empty one always is.
///
/// No component or feature is installed or requested.
pub fn holds(condition: &str, properties: &BTreeMap<String, String>) -> Result<bool, ConditionError> {
    holds_for(condition, properties, &Asked::default())
}

/// The features and components that are going to be installed.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) features: BTreeSet<String>,
    pub(super) components: BTreeSet<String>,
}

/// [`holds`] in an installation with requested features.
pub(super) fn holds_for(
    condition: &str,
    properties: &BTreeMap<String, String>,
    asked: &Asked,
) -> Result<bool, ConditionError> {
    // Without unknown properties, every condition is true or false.
    Ok(judge(condition, properties, &BTreeSet::new(), asked)? == Some(true))
}

/// Whether a condition is true for a first installation; `None` if that depends on an unknown property.
pub(super) fn may_hold(
    condition: &str,
    properties: &BTreeMap<String, String>,
    unknown: &BTreeSet<String>,
) -> Result<Option<bool>, ConditionError> {
    judge(condition, properties, unknown, &Asked::default())
}

/// The properties that a condition refers to.
pub(super) fn names(condition: &str) -> BTreeSet<String> {
    let is_word = |name: &String| {
        name.eq_ignore_ascii_case("NOT") || OPERATORS.iter().any(|(word, _)| name.eq_ignore_ascii_case(word))
    };
    let names = tokens(condition).unwrap_or_default().into_iter().filter_map(|(token, _)| match token {
        Token::Name(name) if !name.starts_with(['$', '?', '&', '!']) => Some(name),
        _ => None,
    });
    names.filter(|name| !is_word(name)).collect()
}

fn judge(
    condition: &str,
    properties: &BTreeMap<String, String>,
    unknown: &BTreeSet<String>,
    asked: &Asked,
) -> Result<Truth, ConditionError> {
    let error = |why: String| ConditionError { condition: condition.chars().take(200).collect(), why };
    if condition.len() > MAX_LENGTH {
        return Err(error("it is too long".to_owned()));
    }
    let tokens = tokens(condition).map_err(error)?;
    if tokens.is_empty() {
        return Ok(Some(true));
    }
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0, properties, unknown, asked };
    let result = parser.expression(0).map_err(error)?;
    match parser.peek() {
        None => Ok(result),
        Some(_) => Err(error(format!("unexpected `{}`", parser.text()))),
    }
}

#[derive(PartialEq)]
enum Token {
    /// A property, or a word such as AND.
    Name(String),
    Literal(String),
    Number(i64),
    /// A comparison, and whether it ignores case.
    Compare(&'static str, bool),
    Open,
    Close,
}

const COMPARISONS: [&str; 9] = ["<>", "<=", ">=", "><", "<<", ">>", "=", "<", ">"];

/// Each token with its text.
fn tokens(text: &str) -> Result<Vec<(Token, &str)>, String> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = match first {
            '(' => (Token::Open, &rest[1..]),
            ')' => (Token::Close, &rest[1..]),
            '"' => {
                let (literal, after) = rest[1..].split_once('"').ok_or("a quotation mark is not closed")?;
                (Token::Literal(literal.to_owned()), after)
            }
            '~' | '<' | '>' | '=' => comparison(rest)?,
            '-' | '0'..='9' => {
                let end = rest[1..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |end| end + 1);
                let number = rest[..end].parse().map_err(|_| format!("`{}` is no number", &rest[..end]))?;
                (Token::Number(number), &rest[end..])
            }
            '$' | '?' | '&' | '!' | '%' | '_' | 'A'..='Z' | 'a'..='z' => {
                let end = rest[1..].find(|c: char| !is_name(c)).map_or(rest.len(), |end| end + 1);
                (Token::Name(rest[..end].to_owned()), &rest[end..])
            }
            other => return Err(format!("unexpected {other:?}")),
        };
        found.push((token, &rest[..rest.len() - after.len()]));
        rest = after.trim_start();
    }
    Ok(found)
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '.'
}

fn comparison(text: &str) -> Result<(Token, &str), String> {
    let (ignore_case, text) = text.strip_prefix('~').map_or((false, text), |text| (true, text));
    COMPARISONS
        .into_iter()
        .find_map(|op| text.strip_prefix(op).map(|after| (Token::Compare(op, ignore_case), after)))
        .ok_or_else(|| "a comparison is missing after `~`".to_owned())
}

struct Parser<'a> {
    tokens: &'a [(Token, &'a str)],
    at: usize,
    depth: u32,
    properties: &'a BTreeMap<String, String>,
    unknown: &'a BTreeSet<String>,
    asked: &'a Asked,
}

/// `None` if it depends on an unknown property.
type Truth = Option<bool>;
type Combine = fn(bool, bool) -> bool;

/// What both have in common, whatever an unknown side is.
fn combined(combine: Combine, left: Truth, right: Truth) -> Truth {
    let any = |side: Truth| side.map_or([false, true], |known| [known, known]);
    let first = combine(any(left)[0], any(right)[0]);
    let same = any(left).into_iter().all(|left| any(right).into_iter().all(|right| combine(left, right) == first));
    same.then_some(first)
}

/// From the loosest to the tightest.
const OPERATORS: [(&str, Combine); 5] = [
    ("IMP", |a, b| !a || b),
    ("EQV", |a, b| a == b),
    ("XOR", |a, b| a != b),
    ("OR", |a, b| a || b),
    ("AND", |a, b| a && b),
];

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    fn text(&self) -> &str {
        self.tokens.get(self.at).map_or("", |(_, text)| text)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let taken = matches!(self.peek(), Some(Token::Name(name)) if name.eq_ignore_ascii_case(word));
        self.at += usize::from(taken);
        taken
    }

    fn expression(&mut self, level: usize) -> Result<Truth, String> {
        let Some(&(word, combine)) = OPERATORS.get(level) else {
            return self.negation();
        };
        let mut value = self.expression(level + 1)?;
        while self.take_word(word) {
            let right = self.expression(level + 1)?;
            value = combined(combine, value, right);
        }
        Ok(value)
    }

    fn negation(&mut self) -> Result<Truth, String> {
        let mut negated = false;
        while self.take_word("NOT") {
            negated = !negated;
        }
        Ok(self.term()?.map(|value| value != negated))
    }

    fn term(&mut self) -> Result<Truth, String> {
        if self.peek() == Some(&Token::Open) {
            self.at += 1;
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err("its parentheses are nested too deeply".to_owned());
            }
            let value = self.expression(0)?;
            self.depth -= 1;
            if self.peek() != Some(&Token::Close) {
                return Err("a parenthesis is not closed".to_owned());
            }
            self.at += 1;
            return Ok(value);
        }
        let left = self.value()?;
        let Some(&Token::Compare(op, ignore_case)) = self.peek() else {
            return Ok(left.is_true());
        };
        self.at += 1;
        let right = self.value()?;
        let known = !matches!((&left, &right), (Value::Unknown, _) | (_, Value::Unknown));
        Ok(known.then(|| compare(&left, op, &right, ignore_case)))
    }

    fn value(&mut self) -> Result<Value, String> {
        let value = match self.peek().ok_or("it ends too early")? {
            Token::Literal(text) => Value::Literal(text.clone()),
            Token::Number(number) => Value::Number(*number),
            Token::Name(name) => self.named(name)?,
            _ => return Err(format!("`{}` instead of a value", self.text())),
        };
        self.at += 1;
        Ok(value)
    }

    fn named(&self, name: &str) -> Result<Value, String> {
        const UNKNOWN: i64 = -1;
        const ABSENT: i64 = 2;
        const LOCAL: i64 = 3;
        let action = |asked: &BTreeSet<String>| if asked.contains(&name[1..]) { LOCAL } else { UNKNOWN };
        let is_word = OPERATORS.iter().any(|(word, _)| name.eq_ignore_ascii_case(word));
        match name.chars().next() {
            _ if is_word || name.eq_ignore_ascii_case("NOT") => Err(format!("`{name}` has no operand")),
            _ if self.unknown.contains(name) => Ok(Value::Unknown),
            Some('$') => Ok(Value::Number(action(&self.asked.components))),
            Some('&') => Ok(Value::Number(action(&self.asked.features))),
            Some('%') => Ok(Value::Property(self.properties.get(&name.to_uppercase()).cloned().unwrap_or_default())),
            Some('?' | '!') => Ok(Value::Number(ABSENT)),
            _ => Ok(Value::Property(self.properties.get(name).cloned().unwrap_or_default())),
        }
    }
}

enum Value {
    Property(String),
    Literal(String),
    Number(i64),
    /// An unknown property.
    Unknown,
}

impl Value {
    fn is_true(&self) -> Truth {
        match self {
            Self::Property(text) | Self::Literal(text) => Some(!text.is_empty()),
            Self::Number(number) => Some(*number != 0),
            Self::Unknown => None,
        }
    }

    /// Only a number or a property is numeric; a quoted literal never is.
    fn number(&self) -> Option<i64> {
        match self {
            Self::Property(text) => text.parse().ok(),
            Self::Literal(_) | Self::Unknown => None,
            Self::Number(number) => Some(*number),
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Property(text) | Self::Literal(text) => Some(text),
            Self::Number(_) | Self::Unknown => None,
        }
    }
}

fn compare(left: &Value, op: &str, right: &Value, ignore_case: bool) -> bool {
    if let (Some(left), Some(right)) = (left.number(), right.number()) {
        return match op {
            "><" => left & right != 0,
            "<<" => left >> 16 == right,
            ">>" => left & 0xffff == right,
            _ => ordered(op, left.cmp(&right)),
        };
    }
    // A text is never equal to, less or more than a number.
    let (Some(left), Some(right)) = (left.text(), right.text()) else {
        return op == "<>";
    };
    let fold = |text: &str| if ignore_case { text.to_lowercase() } else { text.to_owned() };
    let (left, right) = (fold(left), fold(right));
    match op {
        "><" => left.contains(&right),
        "<<" => left.starts_with(&right),
        ">>" => left.ends_with(&right),
        _ => ordered(op, left.cmp(&right)),
    }
}

fn ordered(op: &str, order: Ordering) -> bool {
    match op {
        "=" => order.is_eq(),
        "<>" => order.is_ne(),
        "<" => order.is_lt(),
        ">" => order.is_gt(),
        "<=" => order.is_le(),
        _ => order.is_ge(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn properties() -> BTreeMap<String, String> {
        let pairs = [
            ("VersionNT", "603"),
            ("Name", "Web.Portal"),
            ("Set", "x"),
            ("IISVERSION", "#10"),
            ("Mixed", "-2"),
            ("%PROGRAMDATA", "C:"),
        ];
        pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    }

    #[test]
    fn conditions_are_judged_as_windows_installer_does() {
        let cases = [
            ("", true),
            ("Set", true),
            ("Unset", false),
            ("NOT Unset", true),
            ("not not Set", true),
            ("Set AND Unset", false),
            ("Set OR Unset AND Unset", true),
            ("(Set OR Unset) AND Unset", false),
            ("VersionNT >= 600 And VersionNT<1000", true),
            ("VersionNT = \"603\"", true),
            ("VersionNT=603", true),
            ("VersionNT > \"1000\"", true),
            ("Name = \"web.portal\"", false),
            ("Name ~= \"web.portal\"", true),
            ("Name >< \"Port\"", true),
            ("Name << \"Web\" AND Name >> \"tal\"", true),
            ("Name ~>< \"PORT\"", true),
            ("Name = 5", false),
            ("Name <> 5", true),
            ("IISVERSION >= \"#6\"", false),
            ("Unset = \"\"", true),
            ("Mixed < 0", true),
            ("Set XOR Set", false),
            ("Unset IMP Set", true),
            ("Unset EQV Set", false),
            ("0", false),
            ("1 OR Unset", true),
            ("$Component = -1 AND ?Component = 2 AND &Feature=-1 AND NOT (!Feature = 3)", true),
            ("%ProgramData = \"C:\"", true),
            ("%PATH", false),
        ];
        for (condition, expected) in cases {
            assert_eq!(holds(condition, &properties()), Ok(expected), "{condition}");
        }
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for condition in
            ["(", ")", "Set AND", "AND", "Set Set", "\"open", "Set ~ Set", "Set ; Set", "99999999999999999999", "="]
        {
            assert!(holds(condition, &properties()).is_err(), "{condition}");
        }
        let error = holds("Set = = Set", &properties()).expect_err("two comparisons");
        assert_eq!(error.to_string(), "the condition `Set = = Set` is invalid: `=` instead of a value");
        assert!(holds(&"(".repeat(10_000), &properties()).is_err());
        assert!(holds(&"NOT ".repeat(4_000), &properties()).is_err());
        assert!(holds(&"x".repeat(1 << 20), &properties()).is_err());
    }

    #[test]
    fn what_depends_on_an_unknown_property_is_unknown() {
        let unknown = BTreeSet::from(["Who".to_owned()]);
        let cases = [
            ("Who", None),
            ("NOT Who", None),
            ("Who = 1", None),
            ("Who OR Set", Some(true)),
            ("Set OR Who", Some(true)),
            ("Who OR Unset", None),
            ("Who AND Unset", Some(false)),
            ("Who AND Set", None),
            ("Who IMP Set", Some(true)),
            ("Who XOR Set", None),
            ("Set AND VersionNT >= 600", Some(true)),
            // The rule of Windows Installer that makes IIS 10 older than IIS 4.
            ("IISVERSION >= \"#4\"", Some(false)),
        ];
        for (condition, expected) in cases {
            assert_eq!(may_hold(condition, &properties(), &unknown), Ok(expected), "{condition}");
        }
        let expected = ["A", "B", "C"].map(str::to_owned).into();
        assert_eq!(names("A AND NOT (B = \"x\" or $Part) AND C > 5"), expected);
    }

    #[test]
    fn what_is_asked_for_is_known() {
        let asked = Asked { features: ["F".to_owned()].into(), components: ["C".to_owned()].into() };
        let check = |condition: &str| holds_for(condition, &properties(), &asked);
        assert_eq!(check("&F = 3 AND $C = 3 AND NOT (&G = 3) AND NOT ($D = 3)"), Ok(true));
    }

    proptest! {
        #[test]
        fn any_text_is_judged_or_refused(text in "[A-Z\"()<>=~$?&!% 0-9ä.-]{0,60}") {
            let _ = holds(&text, &properties());
        }

        #[test]
        fn negation_negates(text in "(Set|Unset|VersionNT > 1|Name = \"\")( (AND|OR|XOR) (Set|Unset)){0,3}") {
            let plain = holds(&text, &properties()).expect("well-formed");
            prop_assert_eq!(holds(&format!("NOT ({text})"), &properties()), Ok(!plain));
        }
    }
}
