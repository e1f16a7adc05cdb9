//! Why a web.config could not be read or merged.

/// Why a web.config could not be read or merged. Messages quote no values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The bytes are no text in the encoding the file has or claims.
    #[error("reading {name}: {why}")]
    Encoding {
        /// The file.
        name: String,
        /// What is wrong, and where.
        why: String,
    },
    /// Larger or deeper than any configuration that IIS reads.
    #[error("reading {name}: {why}")]
    Limit {
        /// The file.
        name: String,
        /// Which limit, and what to do.
        why: String,
    },
    /// A document type, which ASP.NET does not need and which can pull in other files.
    #[error("reading {name}: its document type (<!DOCTYPE>) could pull in other files; remove that declaration")]
    DocType {
        /// The file.
        name: String,
    },
    /// Not well-formed XML.
    #[error("reading {name}, line {line}, column {column}: {why}")]
    Malformed {
        /// The file.
        name: String,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What the parser says.
        why: String,
    },
    /// XML, but no configuration.
    #[error("reading {name}: its outermost element is <{root}>, not <configuration>; this is no web.config")]
    NotConfiguration {
        /// The file.
        name: String,
        /// The outermost element's name.
        root: String,
    },
    /// Encrypted sections: their values can be merged once they are decrypted.
    #[error(
        "merging {name}: {} encrypted; decrypt with `aspnet_regiis -pdf` on the server that encrypted it",
        list(sections)
    )]
    Encrypted {
        /// The file.
        name: String,
        /// The paths of the encrypted sections.
        sections: Vec<String>,
    },
    /// A file that a web.config refers to.
    #[error("reading {name}: {why}")]
    Outside {
        /// The file.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// Well-formed, but ASP.NET would not start the application with it.
    #[error("checking {name}: {}", problems.join("; "))]
    Faulty {
        /// The file.
        name: String,
        /// What is wrong, a sentence each.
        problems: Vec<String>,
    },
    /// The merged file does not say what it was meant to say. This is a fault of this program.
    #[error(
        "merging into {name}: {path} does not read back as it was written; nothing was changed. Merge this file manually"
    )]
    Unsound {
        /// The file.
        name: String,
        /// The value.
        path: String,
    },
}

fn list(sections: &[String]) -> String {
    let verb = if sections.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", sections.join(", "))
}
