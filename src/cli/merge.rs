//! `merge`: merges two web.config files and shows what either side changed.

use super::console::Console;
use super::ending::Ending;
use super::fault::CommandError;
use super::options::{Conflicts, Decision, MergeArgs};
use super::output;
use crate::exit::Exit;
use crate::report::text;
use crate::step::MergePreview;
use crate::webconfig::{self, Change, ConfigError, Document, Fate, OnConflict, Rules, SdkUrlRule, Sources};
use anyhow::Context;
use serde::Serialize;
use std::fs::File;
use std::io::Read;
use std::path::Path;

pub(super) fn merge(args: &MergeArgs, talk: &Console) -> Result<Ending, CommandError> {
    args.output.as_deref().map_or(Ok(()), output::check)?;
    let paths: Vec<&Path> =
        [Some(&args.old), Some(&args.new), args.base.as_ref()].into_iter().flatten().map(AsRef::as_ref).collect();
    let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let bytes = paths.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    let files = bytes.into_iter().zip(&names).map(|(bytes, name)| Document::parse(bytes, name));
    let mut files = files.collect::<Result<Vec<_>, _>>().map_err(unusable)?.into_iter();
    let (Some(old), Some(new), base) = (files.next(), files.next(), files.next()) else {
        return Err(CommandError::usage("two files are required"));
    };
    let rules = rules(args, &old, talk);
    let sources = Sources { old: &old, base: base.as_ref(), new: &new };
    let merged = webconfig::merge(&sources, &rules).map_err(unusable)?;
    // Not an error: a misspelled decision leaves its conflict undecided, and an outdated one does no harm.
    for path in merged.unused_decisions(&rules) {
        talk.say(&format!("note: the decision `{path}` matches no conflict"));
    }
    let file = args.output.as_deref().unwrap_or(&args.new).display().to_string();
    let result = merged.document.clone().named(&file);
    webconfig::check_merged(&result, &new, &rules.declared_above).map_err(unusable)?;
    let strictly = if args.strict { by_hand(&merged.changes) } else { 0 };
    let left = left(merged.undecided().count(), strictly);
    let exit = if left.is_some() { Exit::Conflict } else { Exit::Done };
    tell(talk, (&new, &result), &merged.changes, &file, exit);
    if let Some((what, next)) = left {
        talk.insist(&format!("{what}; nothing was written."));
        return Ok(Ending::new(exit).next(next));
    }
    if let Some(path) = &args.output {
        output::write(path, result.bytes())?;
        talk.say(&format!("Wrote {}", path.display()));
    }
    Ok(Ending::new(Exit::Done))
}

/// The number of changes left to do by hand.
fn by_hand(changes: &[Change]) -> usize {
    changes.iter().filter(|change| matches!(change.fate, Fate::Reported { .. })).count()
}

/// Why the result is not written, and what to do next.
fn left(undecided: usize, by_hand: usize) -> Option<(String, &'static str)> {
    match (undecided, by_hand) {
        (0, 0) => None,
        (0, _) => Some((left_by_hand(by_hand), "make each of them in NEW yourself, or omit --strict")),
        _ => {
            let places = if undecided == 1 { "conflict" } else { "conflicts" };
            let next = "decide each with --decide PATH=old (or new), or all with --on-conflict";
            Some((format!("{undecided} {places}"), next))
        }
    }
}

fn left_by_hand(count: usize) -> String {
    format!("{count} {} left to do by hand", if count == 1 { "change" } else { "changes" })
}

fn rules(args: &MergeArgs, old: &Document, talk: &Console) -> Rules {
    Rules {
        sdk_url: sdk_url_rule(args, old, talk),
        on_conflict: match args.on_conflict {
            Conflicts::Stop => OnConflict::Stop,
            Conflicts::KeepNew => OnConflict::KeepNew,
            Conflicts::KeepOld => OnConflict::KeepOld,
        },
        strict: true,
        decisions: args.decide.iter().cloned().map(|Decision { path, side }| (path, side)).collect(),
        ..Rules::default()
    }
}

/// Only the renamed directory changes in the SDK URL, as in a run.
fn sdk_url_rule(args: &MergeArgs, old: &Document, talk: &Console) -> SdkUrlRule {
    let Some(new) = &args.sdk_directory else { return SdkUrlRule::Keep };
    let url = old.sdk_url().map(|(_, url)| url).unwrap_or_default();
    match sdk_directory(&url) {
        Some(old) if old.eq_ignore_ascii_case(new.as_str()) => SdkUrlRule::Keep,
        Some(old) => SdkUrlRule::ReplaceDirectory { old: old.to_owned(), new: new.to_string() },
        None => {
            talk.say(&format!("note: no SDK URL with a virtual directory in {}", args.old.display()));
            SdkUrlRule::Keep
        }
    }
}

/// The directory right before the service: `Sdk` in `https://host/Sdk/PfWsSdk.asmx`.
fn sdk_directory(url: &str) -> Option<&str> {
    let path = url.split(['?', '#']).next()?;
    let (directory, _service) = path.rsplit_once('/')?;
    let (before, name) = directory.rsplit_once('/')?;
    before.contains("://").then_some(name)
}

/// Shows what became of every difference, with secrets masked; the merged file itself is never shown.
fn tell(talk: &Console, (new, result): (&Document, &Document), changes: &[Change], file: &str, exit: Exit) {
    #[derive(Serialize)]
    struct Merge<'a> {
        format: u32,
        kind: &'static str,
        exit_code: i32,
        by_hand: usize,
        changes: &'a [Change],
    }
    let by_hand = by_hand(changes);
    talk.document(&Merge { format: 1, kind: "merge", exit_code: exit.code(), by_hand, changes });
    if !talk.json {
        let diff = webconfig::masked_diff(new, result, 2);
        let preview = MergePreview { file: file.to_owned(), estimate: false, changes: changes.to_vec(), diff };
        talk.result(&text::merge(&preview, talk.width()));
        if by_hand > 0 {
            talk.result(&format!("\n{}.\n", left_by_hand(by_hand)));
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CommandError> {
    let read = |file: File| {
        let length = file.metadata()?.len().min(webconfig::CONFIG_LIMIT + 1);
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        file.take(webconfig::CONFIG_LIMIT + 1).read_to_end(&mut bytes).map(|_| bytes)
    };
    Ok(File::open(path).and_then(read).with_context(|| format!("could not read {}", path.display()))?)
}

fn unusable(error: ConfigError) -> CommandError {
    CommandError::usage(error.to_string()).next("fix that file; nothing was written")
}
