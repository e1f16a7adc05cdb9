//! Whatever more than one view of a run shows is the same in all of them: status, summary, the report in all its forms,
//! what comes next, a second reading of the journal, and the machine itself.

use super::reading::Reading;
use super::*;
use jiff::Timestamp;
use pfupgrade::engine::{Event, Forecast, Watcher};
use pfupgrade::journal::{Next, Standing, Stands, Way};
use pfupgrade::platform::facts::ServiceState;
use pfupgrade::report::change::ChangeReport;
use pfupgrade::report::status::{RunStatus, Status};
use pfupgrade::report::summary::Summary;
use pfupgrade::report::text;
use serde_json::{Value, json};
use std::fmt::Debug;
use std::time::Duration;

/// Compares all views of the last run of a machine. Nothing is changed.
pub fn agree(disk: &MemoryDisk) -> Result<(), String> {
    let machine = boot(disk);
    let still = clock();
    let found = engine(&machine, &still).last_run().map_err(|error| error.to_string())?;
    let Some(found) = found else { return Ok(()) };
    let mut views = Views::of(&machine, found, disk);
    views.figures_agree();
    views.texts_agree();
    views.report_agrees();
    views.what_comes_next_agrees();
    views.summary_agrees();
    views.machine_agrees();
    match views.differences.as_slice() {
        [] => Ok(()),
        all => Err(format!("views differ:\n{}\nThe journal:\n{}", all.join("\n"), views.told())),
    }
}

struct Views<'a> {
    machine: &'a Simulated,
    found: RecordedRun,
    reading: Reading,
    status: RunStatus,
    evidence: ChangeReport,
    outages: Vec<(Timestamp, Option<Timestamp>)>,
    done: Vec<String>,
    gates: Vec<(String, String, Option<String>)>,
    differences: Vec<String>,
}

/// How a gate was completed, in the words of the status.
fn answered((gate, by, user): &(String, String, Option<String>)) -> String {
    match (by.as_str(), user, by.strip_prefix("plan: ")) {
        (_, _, Some(reason)) => format!("{gate} skipped by the plan: {reason}"),
        ("seen on the machine", ..) => format!("{gate} detected on this server"),
        ("operator", Some(user), _) => format!("{gate} confirmed by {user}"),
        (by, ..) => format!("{gate} confirmed by the {by}"),
    }
}

impl<'a> Views<'a> {
    fn of(machine: &'a Simulated, found: RecordedRun, disk: &MemoryDisk) -> Self {
        let reading = Reading::of(disk, &found.journal);
        let (status, evidence) = (RunStatus::of(&found, false), ChangeReport::of(&found, true));
        let (outages, done, gates) = (reading.outages(), reading.done(), reading.gates());
        Self { machine, found, reading, status, evidence, outages, done, gates, differences: Vec::new() }
    }

    fn same<T: PartialEq + Debug>(&mut self, what: &str, one: T, other: T) {
        if one != other {
            self.differences.push(format!("{what}: {one:?} and {other:?}"));
        }
    }

    fn holds(&mut self, what: &str, is_so: bool) {
        self.same(what, is_so, true);
    }

    /// The records, a short line each.
    fn told(&self) -> String {
        let all = self.found.records.iter().skip(1).map(|record| serde_json::to_string(record).unwrap());
        all.map(|line| line.chars().take(150).collect::<String>() + "\n").collect()
    }

    /// Begun, and how long it took where it is over, as every view has to have it.
    fn outage(&self) -> Option<(Timestamp, Option<i64>)> {
        let all = &self.outages;
        let length = |(begun, ended): &(Timestamp, Option<Timestamp>)| {
            Some(i64::try_from(ended.as_ref()?.duration_since(*begun).as_millis()).unwrap())
        };
        let lengths: Option<Vec<i64>> = all.iter().map(length).collect();
        // The one that goes on is the one that matters.
        let shown = if lengths.is_some() { all.first() } else { all.last() };
        Some((shown?.0, lengths.map(|all| all.iter().sum())))
    }

    fn figures_agree(&mut self) {
        let (outage, state) = (self.outage(), self.found.state.clone());
        self.same("outage begun: journal, status", outage.map(|outage| outage.0), self.status.outage_begun);
        self.same("outage ms: journal, status", outage.and_then(|outage| outage.1), self.status.outage_ms);
        let going_on = outage.is_some_and(|(_, length)| length.is_none());
        self.same("outage goes on: journal, state", going_on, state.is_outage());
        let done = self.done.clone();
        let of_state = state.steps.iter().filter(|step| step.how.is_some()).map(|step| step.id.to_string()).collect();
        self.same("steps done: journal, state", &done, &of_state);
        self.same("steps: journal, status", (done.len(), self.reading.steps()), (self.status.done, self.status.steps));
        let codes: Vec<String> = self.reading.uninstalls().into_keys().map(str::to_owned).collect();
        let of_state: BTreeSet<String> = state.uninstalled.iter().map(ToString::to_string).collect();
        self.same("uninstalled: journal, state", codes, of_state.into_iter().collect());
        self.same("stands: journal, status", self.reading.stands().to_owned(), self.status.state.to_owned());
        let goes_back = self.reading.rollback_has_begun() && self.reading.stands() != "rolled-back";
        self.same("goes back: journal, status", goes_back, self.status.goes_back);
        let known = |id: &String| id == "rollback" || state.steps.iter().any(|step| step.id == id.as_str());
        let step = self.status.step.clone();
        self.holds("the step at which it stands is one", step.is_none_or(|id| known(&id)));
    }

    /// What people read: status, and the head of the report as Markdown and as a web page.
    fn texts_agree(&mut self) {
        let outage = self.outage();
        let (since, length) = match outage {
            None => (None, None),
            Some((begun, None)) => (Some(text::moment(begun)), None),
            Some((_, Some(taken))) => (None, Some(text::elapsed(Duration::from_millis(taken.unsigned_abs())))),
        };
        let said = since.as_ref().map(|since| format!("since {since}, ongoing")).or_else(|| length.clone());
        let status = Status { format: 1, kind: "status", at_work: None, runs: vec![self.status.clone()] };
        let page = plain(&text::status(&status, 120));
        let line =
            |label: &str| page.lines().find_map(|line| line.strip_prefix(&format!("  {label}"))).map(str::to_owned);
        self.same("outage: journal, status for people", said, line("outage  "));
        let steps = (self.status.state != "rolled-back")
            .then(|| format!("{} of {} done", self.done.len(), self.reading.steps()));
        self.same("steps: journal, status for people", steps, line("steps   "));

        let said =
            since.map(|since| format!("since {since}, ongoing")).or(length).unwrap_or("none recorded".to_owned());
        let undone = if self.found.state.rollback.is_some() { ", before the rollback" } else { "" };
        let steps = format!("{} of {}{undone}", self.done.len(), self.reading.steps());
        let (markdown, html) = (self.evidence.markdown(), self.evidence.html());
        for (label, said) in [("Outage", said), ("Steps done", steps)] {
            let of_markdown = in_utc(&between(&markdown, &format!("\n- {label}: "), "\n"));
            self.same(&format!("{label}: journal, Markdown"), &said, &of_markdown);
            let of_html = in_utc(&between(&html, &format!("<dt>{label}</dt><dd>"), "</dd>"));
            self.same(&format!("{label}: journal, HTML"), &said, &of_html);
        }
        self.tables_agree(&markdown, &html);
    }

    /// The tables of the report: steps and outages, and who passed which gate.
    fn tables_agree(&mut self, markdown: &str, html: &str) {
        let steps = between(markdown, "## Steps and times\n", "\n## ");
        let ends = |line: &str| line.trim_end_matches(" |").rsplit(" | ").next().map(str::to_owned);
        let (windows, rows): (Vec<&str>, Vec<&str>) = steps
            .lines()
            .skip_while(|line| !line.starts_with('|'))
            .take_while(|line| line.starts_with('|'))
            .skip(2)
            .partition(|line| line.contains("**Outage: users could not sign in**"));
        let expected = self.outages.iter().map(|(_, ended)| if ended.is_some() { "over" } else { "ongoing" });
        let expected: Vec<String> = expected.map(str::to_owned).collect();
        self.same("outages: journal, Markdown", &expected, &windows.iter().filter_map(|line| ends(line)).collect());
        let of_html: Vec<String> = html
            .split("<tr class=\"window\">")
            .skip(1)
            .map(|row| between(row, "data-label=\"Ended\">", "</td>"))
            .collect();
        self.same("outages: journal, HTML", &expected, &of_html);
        let open = ["not started", "ongoing", "failed"];
        let over = rows.iter().filter(|line| ends(line).is_some_and(|how| !open.contains(&how.as_str()))).count();
        self.same("steps over: journal, Markdown", self.done.len(), over);

        let gates: Vec<String> = self.gates.iter().map(|gate| gate.0.clone()).collect();
        let told = between(markdown, "## Manual steps\n", "\n## ");
        let of_markdown = told.lines().filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned()));
        self.same("gates: journal, Markdown", gates.clone(), of_markdown.collect());
        let told = between(html, "<section id=\"gates\">", "</section>");
        self.same("gates: journal, HTML", gates.len(), told.matches("data-label=\"How it was completed\"").count());
    }

    /// The report as data.
    fn report_agrees(&mut self) {
        let report = serde_json::to_value(&self.evidence).unwrap();
        let story = &report["story"];
        let outages = self.outages.iter().map(|(begun, ended)| json!({ "begun": begun, "ended": ended }));
        self.same("outages: journal, report", Value::Array(outages.collect()), story["outages"].clone());
        let over = story["steps"].as_array().unwrap().iter().filter(|step| !step["how"].is_null()).count();
        self.same("steps over: journal, report", self.done.len(), over);
        let keys = ["gate", "by", "user"];
        let gates: Vec<Value> = self.gates.iter().map(|(gate, by, user)| json!([gate, by, user])).collect();
        let of_report = story["gates"].as_array().unwrap().iter().map(|gate| json!(keys.map(|key| gate[key].clone())));
        self.same("gates: journal, report", &gates, &of_report.collect());
        let told: Vec<String> = self.gates.iter().map(answered).collect();
        let happened = self.status.happened.iter().filter(|happened| told.contains(&happened.text)).count();
        self.same("gates: journal, what happened", told.len(), happened);
        self.same("stands: status, report", json!(self.status.state), story["state"].clone());
        let words = match self.status.state {
            "finished" => ["Finished"; 2],
            "rolled-back" => ["Rolled back"; 2],
            "waiting" | "restart" => ["Waiting"; 2],
            "stopped" => ["Stopped"; 2],
            "failed" => ["Failed", "Rollback failed"],
            _ => ["Not complete"; 2],
        };
        self.same("verdict", words[usize::from(self.status.goes_back)], self.evidence.verdict.word);
    }

    fn what_comes_next_agrees(&mut self) {
        let Next { restart, way, .. } = self.found.state.next(false);
        let command = match way {
            Way::Over => "over".to_owned(),
            Way::Resume => "resume".to_owned(),
            Way::Rollback => "rollback".to_owned(),
            Way::Confirm { gate } => format!("confirm {gate}"),
        };
        let to_do = self.reading.to_do();
        self.same("what comes next: journal, state", (to_do.command, to_do.restart), (command, restart));
        let gate = self.status.gate.as_ref().map(|gate| format!("confirm {}", gate.id));
        let waits = Some(self.reading.to_do().command).filter(|command| command.starts_with("confirm "));
        self.same("waits at: journal, status", waits, gate);
        let over = matches!(self.found.state.stands, Stands::Finished { .. } | Stands::RolledBack);
        let standing = matches!(self.found.standing(), Standing::Finished | Standing::RolledBack);
        self.same("it is over: stands, standing", over, standing);
    }

    fn summary_agrees(&mut self) {
        if self.found.standing() != Standing::Finished {
            return;
        }
        let summary = Summary::of(&self.found, self.machine.inspect()).unwrap();
        self.same("outage ms: status, summary", self.status.outage_ms, summary.outage_ms);
        self.same("steps: journal, summary", self.done.len(), summary.steps.len());
        let gates = self.gates.iter().map(|(gate, by, _)| format!("{gate}: {by}")).collect::<Vec<_>>();
        let of_summary = summary.gates.iter().map(|gate| format!("{}: {}", gate.id, gate.by)).collect();
        self.same("gates: journal, summary", gates, of_summary);
        let lasted = summary.outage_ms.map(|taken| text::elapsed(Duration::from_millis(taken.unsigned_abs())));
        let page = plain(&text::summary(&summary, "rollback", 100));
        let told = page.lines().find_map(|line| line.strip_prefix("The outage lasted ").map(str::to_owned));
        self.same("outage: summary, for people", lasted.map(|lasted| format!("{lasted}.")), told);
    }

    /// What the journal claims is held to the machine.
    fn machine_agrees(&mut self) {
        let facts = self.machine.facts();
        let all: BTreeSet<String> = self.reading.to_uninstall().into_iter().map(str::to_owned).collect();
        let missing: BTreeSet<String> =
            all.iter().filter(|code| !facts.installed.contains_key(*code)).cloned().collect();
        let claimed: BTreeSet<String> = self.found.state.uninstalled.iter().map(ToString::to_string).collect();
        let runs = |name: &&str| {
            facts.services.iter().any(|service| service.name == *name && service.state == ServiceState::Running)
        };
        let stopped: Vec<String> =
            self.reading.services().into_iter().filter(|name| !runs(name)).map(str::to_owned).collect();
        let (standing, out) = (self.found.standing(), self.found.state.is_outage());
        match standing {
            Standing::RolledBack => self.same("gone after a rollback", missing, BTreeSet::new()),
            Standing::Finished => self.same("gone after the run", missing, all),
            Standing::RollingBack => {}
            Standing::Unfinished => {
                let gone: Vec<&String> = missing.difference(&claimed).collect();
                self.same("gone, and not told of", gone, Vec::new());
                let done =
                    self.reading.uninstalls().into_iter().filter(|(code, done)| *done && !missing.contains(*code));
                let there = done.map(|(code, _)| code.to_owned()).collect();
                self.same("said to be uninstalled, and there", there, Vec::<String>::new());
                if !out && missing.is_empty() {
                    self.same("stopped while there is no outage", stopped, Vec::new());
                } else if out && self.reading.has_ended_by_itself() && self.reading.uninstalls().is_empty() {
                    let is_known = self.reading.could_not_call_off() && !stopped.is_empty();
                    self.holds("an outage goes on though nothing is uninstalled", is_known);
                }
            }
        }
        if standing == Standing::RolledBack {
            self.holds("an outage outlasts its rollback", !out);
        }
    }
}

/// A time without the server's own, which stands behind it in parentheses.
fn in_utc(text: &str) -> String {
    let Some((before, rest)) = text.split_once(" (") else { return text.to_owned() };
    let after = rest.split_once(')').map_or("", |(_, after)| after);
    format!("{before}{after}")
}

/// A text without what colors it.
fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

fn between(text: &str, from: &str, to: &str) -> String {
    let rest = text.split_once(from).map_or("", |(_, rest)| rest);
    let found = rest.split_once(to).map_or(rest, |(found, _)| found).replace("<wbr>", "");
    // What takes less than a second is told in two ways.
    if found == "under 1 s" { "0 s".to_owned() } else { found }
}

/// Keeps what is done.
#[derive(Default)]
pub struct Done {
    steps: BTreeSet<String>,
    undos: Vec<String>,
}

impl Watcher for Done {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Step { title, .. } => _ = self.steps.insert(title.clone()),
            Event::Undo { text, .. } => self.undos.push(text.clone()),
            _ => {}
        }
    }
}

impl Done {
    /// Whether all of it was forecast, and all that was forecast is done.
    pub fn is_as_foretold(&self, forecast: &Forecast, end: &End) -> Result<(), String> {
        let steps: BTreeSet<String> = forecast.resume.iter().cloned().collect();
        match end {
            End::Done { .. } if steps != self.steps => {
                let only = |one: &BTreeSet<String>, other| format!("{:?}", one.difference(other).collect::<Vec<_>>());
                let (done, forecast) = (only(&self.steps, &steps), only(&steps, &self.steps));
                Err(format!("`resume` has done {done}, which was not forecast, and not {forecast}, which was"))
            }
            End::RolledBack if forecast.rollback != self.undos => {
                Err(format!("`rollback` was to do {:#?} and has done {:#?}", forecast.rollback, self.undos))
            }
            _ => Ok(()),
        }
    }
}
