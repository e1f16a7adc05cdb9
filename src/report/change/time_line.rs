//! The timeline of a run.

use crate::journal::{RunState, Span, Stands, StepState, milliseconds};
use jiff::Timestamp;

/// Every step with its bars. Positions are in percent.
pub(super) struct TimeLine {
    pub(super) rows: Vec<Row>,
    pub(super) outages: Vec<Bar>,
    pub(super) windows: Vec<Span>,
    /// Its two labels.
    pub(super) ends: Option<[String; 2]>,
}

/// One step.
pub(super) struct Row {
    pub(super) title: String,
    pub(super) id: String,
    pub(super) began: Option<Timestamp>,
    /// Milliseconds of all attempts; `None` if it never started, or is running.
    pub(super) took: Option<i64>,
    pub(super) how: String,
    pub(super) bars: Vec<Bar>,
    pub(super) state: RowState,
}

/// The state of a step.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RowState {
    Done,
    Failed,
    /// It has started and has not ended.
    Open,
    /// It never started.
    Ahead,
}

/// A bar.
pub(super) struct Bar {
    pub(super) from: f64,
    pub(super) length: f64,
}

const WHOLE: f64 = 100.0;
/// Shorter bars would be invisible.
const SHORTEST: f64 = 0.4;

impl TimeLine {
    pub(super) fn of(story: &RunState) -> Self {
        let begun = story.steps.iter().flat_map(|step| &step.spans).map(|span| span.begun).min();
        let (Some(first), Some(last)) = (begun, story.latest) else {
            return Self {
                rows: story.steps.iter().map(|step| row(step, story, &|_| Bar { from: 0.0, length: 0.0 })).collect(),
                outages: Vec::new(),
                windows: Vec::new(),
                ends: None,
            };
        };
        // A rollback has its own table.
        let last = story.rollback.as_ref().map_or(last, |rollback| rollback.span.begun).max(first);
        let all = milliseconds(first, last).max(1);
        #[expect(clippy::cast_precision_loss, reason = "places on a page need no more")]
        let place = |time: Timestamp| (milliseconds(first, time) as f64 / all as f64 * WHOLE).clamp(0.0, WHOLE);
        let bar = |span: &Span| {
            let (from, to) = (place(span.begun), place(span.ended.unwrap_or(last)));
            let length = (to - from).max(SHORTEST);
            Bar { from: from.min(WHOLE - length), length }
        };
        let label = |time: Timestamp| {
            let is_one_day = first.strftime("%F").to_string() == last.strftime("%F").to_string();
            time.strftime(if is_one_day { "%H:%M:%S" } else { "%m-%d %H:%M" }).to_string()
        };
        Self {
            rows: story.steps.iter().map(|step| row(step, story, &bar)).collect(),
            outages: story.outages.iter().map(&bar).collect(),
            windows: story.outages.clone(),
            ends: Some([first, last].map(label)),
        }
    }
}

fn row(step: &StepState, story: &RunState, bar: &dyn Fn(&Span) -> Bar) -> Row {
    let lengths = step.spans.iter().map(|span| Some(milliseconds(span.begun, span.ended?)));
    let has_failed = matches!(&story.stands, Stands::Failed { step: failed, .. } if *failed == step.id);
    let (state, how) = match &step.how {
        Some(how) => (RowState::Done, how.clone()),
        None if has_failed => (RowState::Failed, "failed".to_owned()),
        None if step.spans.is_empty() => (RowState::Ahead, "not started".to_owned()),
        None => (RowState::Open, "ongoing".to_owned()),
    };
    Row {
        title: step.title.clone(),
        id: step.id.to_string(),
        began: step.spans.first().map(|span| span.begun),
        took: lengths.collect::<Option<Vec<i64>>>().filter(|all| !all.is_empty()).map(|all| all.iter().sum()),
        how,
        bars: step.spans.iter().map(bar).collect(),
        state,
    }
}
