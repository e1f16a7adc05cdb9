//! A second reading of a journal: from its raw lines, by rules of its own. Each question is answered by itself, by
//! looking back from a line, without anything that is carried from one record to the next.

use super::*;
use jiff::Timestamp;
use serde_json::Value;

/// The lines of a journal.
pub struct Reading(Vec<Value>);

/// What comes next, in the words of the commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToDo {
    /// `over`, `resume`, `rollback`, or `confirm` with its gate.
    pub command: String,
    /// Whether Windows is to be restarted first.
    pub restart: bool,
}

impl Reading {
    /// Reads the journal of a machine. A last line that was cut short is none.
    pub fn of(disk: &MemoryDisk, journal: &WinPath) -> Self {
        let content = disk::read(disk, journal, u64::MAX - 1).unwrap();
        let whole = content.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let text = std::str::from_utf8(&content[..whole]).unwrap();
        Self(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    /// What the first line says of every step: its id, and what it is.
    fn procedure(&self) -> impl DoubleEndedIterator<Item = (&str, &Value)> {
        let steps = self.0[0]["steps"].as_array().unwrap().iter();
        steps.map(|step| (step["id"].as_str().unwrap(), step))
    }

    /// How many steps there are.
    pub fn steps(&self) -> usize {
        self.procedure().count()
    }

    /// The ids of the steps that are over: of the last line about each, whether it says so.
    pub fn done(&self) -> Vec<String> {
        let is_about = |line: &Value, id: &str| match entry(line) {
            "step-started" | "step-done" => line["step"] == id,
            "reset" => line["steps"].as_array().unwrap().iter().any(|step| step == id),
            _ => false,
        };
        let is_over =
            |id: &str| self.0.iter().rfind(|line| is_about(line, id)).is_some_and(|line| is(line, "step-done"));
        self.procedure().map(|(id, _)| id).filter(|id| is_over(id)).map(str::to_owned).collect()
    }

    /// When users could not sign in: from the first line behind which they cannot to the first behind which they can.
    pub fn outages(&self) -> Vec<(Timestamp, Option<Timestamp>)> {
        let in_outage: Vec<&str> =
            self.procedure().filter(|(_, step)| step["outage"] == true).map(|(id, _)| id).collect();
        let out: Vec<bool> = (0..self.0.len()).map(|at| self.is_out(at, &in_outage)).collect();
        let turns = |from: usize, to: bool| (from..out.len()).find(|at| out[*at] == to);
        let (mut spans, mut from) = (Vec::new(), 0);
        while let Some(begun) = turns(from, true) {
            let ended = turns(begun, false);
            spans.push((time(&self.0[begun]), ended.map(|at| time(&self.0[at]))));
            from = ended.unwrap_or(out.len());
        }
        spans
    }

    /// Whether users cannot sign in behind a line.
    fn is_out(&self, at: usize, in_outage: &[&str]) -> bool {
        // Where no uninstall has begun, a rollback has nothing to take away, and starts what was stopped.
        let has_uninstalled = |line: &Value| {
            let at = self.0.iter().position(|other| other == line).unwrap_or_default();
            !Self(self.0[..at].to_vec()).uninstalls().is_empty() || line.to_string().contains("\"state\":\"stopped\"")
        };
        let says = |line: &Value| match entry(line) {
            "step-started" | "op-started" if in_outage.iter().any(|id| line["step"] == *id) => Some(true),
            "step-done" if in_outage.last().is_some_and(|last| line["step"] == *last) => Some(false),
            "rollback-started" if has_uninstalled(line) => Some(true),
            "called-off" if line["failed"].as_array().is_none_or(Vec::is_empty) => Some(false),
            "finished" | "rolled-back" => Some(false),
            _ => None,
        };
        self.0[..=at].iter().rev().find_map(says).unwrap_or(false)
    }

    /// The codes of the products that the procedure uninstalls.
    pub fn to_uninstall(&self) -> BTreeSet<&str> {
        let uninstalls = self.procedure().filter(|(_, step)| step["work"]["kind"] == "uninstall");
        uninstalls.map(|(_, step)| text(&step["work"], "code")).collect()
    }

    /// The codes of products whose uninstall may have changed something, each with whether the last one is said to have
    /// been done.
    pub fn uninstalls(&self) -> BTreeMap<&str, bool> {
        let mut found = BTreeMap::new();
        for (at, line) in self.0.iter().enumerate() {
            let Some(code) = line["op"]["code"].as_str().filter(|_| is(line, "op-started")) else { continue };
            let ends = ["op-done", "failed", "outcome-unknown", "changed-nothing", "session", "op-started"];
            let end = self.0[at + 1..].iter().find(|line| ends.contains(&entry(line)));
            match end.map(|line| (entry(line), line["changed_nothing"] == true)) {
                Some(("changed-nothing", _) | ("failed", true)) => {}
                end => _ = found.insert(code, end.is_some_and(|(entry, _)| entry == "op-done")),
            }
        }
        found
    }

    /// Every gate that was passed, who says so, and whose session it was.
    pub fn gates(&self) -> Vec<(String, String, Option<String>)> {
        let answers = self.0.iter().enumerate().filter(|(_, line)| is(line, "answered"));
        let user =
            |at: usize| self.0[..at].iter().rfind(|line| is(line, "session"))?["user"].as_str().map(str::to_owned);
        answers.map(|(at, line)| (text(line, "gate").to_owned(), text(line, "by").to_owned(), user(at))).collect()
    }

    /// Where the run stands, in a word.
    pub fn stands(&self) -> &str {
        let is_aside = |line: &&Value| matches!(entry(line), "called-off" | "decided" | "changed-nothing");
        let last = self.0.iter().rfind(|line| !is_aside(line)).unwrap();
        match entry(last) {
            "op-started" if last["op"]["op"] == "ask" => "waiting",
            "waiting" | "stopped" | "failed" | "finished" | "rolled-back" => entry(last),
            "outcome-unknown" => "failed",
            "restart-needed" => "restart",
            _ => "interrupted",
        }
    }

    /// Whether a rollback has begun.
    pub fn rollback_has_begun(&self) -> bool {
        self.0.iter().any(|line| is(line, "rollback-started"))
    }

    /// The gate of the last line about one.
    fn gate(&self) -> Option<&str> {
        self.0.iter().rev().find_map(|line| line["gate"]["id"].as_str().or_else(|| line["op"]["gate"]["id"].as_str()))
    }

    /// Whether an installer has asked for a restart that nobody has gone on after.
    fn restart_is_left(&self) -> bool {
        let asked = self.0.iter().rposition(|line| line["outcome"]["reboot"] == true);
        let goes_on = |line: &Value| matches!(entry(line), "step-started" | "op-started" | "step-done");
        let needed =
            asked.and_then(|asked| Some(asked + self.0[asked..].iter().position(|l| is(l, "restart-needed"))?));
        asked.is_some() && !needed.is_some_and(|at| self.0[at..].iter().any(goes_on))
    }

    /// What comes next.
    pub fn to_do(&self) -> ToDo {
        let again = if self.rollback_has_begun() { "rollback" } else { "resume" };
        let (command, restart) = match self.stands() {
            "finished" => ("over".to_owned(), self.restart_is_left()),
            "rolled-back" => ("over".to_owned(), false),
            "waiting" => (format!("confirm {}", self.gate().unwrap()), false),
            "failed" => (again.to_owned(), self.0.iter().rfind(|line| is(line, "failed")).is_some_and(wants_restart)),
            stands => (again.to_owned(), stands == "restart"),
        };
        ToDo { command, restart }
    }

    /// Whether the program has had its say: nobody killed it, and it has called off an outage where it should.
    pub fn has_ended_by_itself(&self) -> bool {
        matches!(self.0.last().map(entry), Some("stopped" | "waiting" | "called-off"))
    }

    /// Whether services could not be started again.
    pub fn could_not_call_off(&self) -> bool {
        let called_off = self.0.iter().rfind(|line| is(line, "called-off"));
        called_off.is_some_and(|line| line["failed"].as_array().is_some_and(|failed| !failed.is_empty()))
    }

    /// The services that are stopped for the outage.
    pub fn services(&self) -> Vec<&str> {
        let stops = self.procedure().find(|(id, _)| *id == "stop-services");
        let names = stops.and_then(|(_, step)| step["work"]["names"].as_array());
        names.into_iter().flatten().map(|name| name.as_str().unwrap()).collect()
    }
}

fn entry(line: &Value) -> &str {
    text(line, "entry")
}

fn is(line: &Value, what: &str) -> bool {
    entry(line) == what
}

fn text<'a>(line: &'a Value, key: &str) -> &'a str {
    line[key].as_str().unwrap()
}

fn time(line: &Value) -> Timestamp {
    text(line, "time").parse().unwrap()
}

fn wants_restart(line: &Value) -> bool {
    line["restart"] == true
}
