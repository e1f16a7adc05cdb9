//! What the components respond before the upgrade. Afterwards, they must respond as well.

use crate::finding::Finding;
use crate::plan::Component;
use crate::platform::Failure;
use crate::procedure::{Compiled, Target};
use crate::survey::answers::{self, Baseline};
use crate::survey::web_config;

/// Requests the URLs of all components that are upgraded, and those in the plan. Without steps, there is no request.
pub(crate) fn baseline(compiled: &Compiled<'_>) -> Result<Vec<Baseline>, Failure> {
    let Compiled { context, targets, procedure } = compiled;
    if procedure.steps.is_empty() {
        return Ok(Vec::new());
    }
    let sdk_host = |target: &Target| {
        let (document, _) = web_config::read(context.machine, &target.old.web_config()).ok()??;
        answers::host_of(&document.sdk_url()?.1)
    };
    // The certificate has the host name that the other components use for the SDK.
    let hosts: Vec<String> = targets.iter().filter_map(sdk_host).collect();
    let mut questions: Vec<(Option<Component>, Vec<String>)> = Vec::new();
    for target in targets {
        let iis = context.survey.web_server.as_ref();
        let Some(site) = iis.and_then(|iis| iis.site(&target.old.site)) else { continue };
        let path = &target.old.application.path;
        let pages = answers::pages(context.machine, site, target.component, path, &hosts)?;
        questions.push((Some(target.component), pages));
    }
    questions.extend(context.plan.verify.urls.iter().map(|url| (None, vec![url.to_string()])));
    Ok(answers::baseline(context.machine, questions))
}

/// Components that do not respond even before the upgrade: nobody can see afterwards whether they work.
pub(super) fn silent(baseline: &[Baseline]) -> Option<Finding> {
    let faulty: Vec<String> = baseline
        .iter()
        .filter(|before| before.answer.was_asked() && !before.answer.is_well())
        .map(|before| before.answer.to_string())
        .collect();
    let title = "a URL does not respond before the upgrade, so the same is accepted afterwards";
    let advice = "open it in a browser on this server, and fix it first if it should respond";
    (!faulty.is_empty()).then(|| Finding::warn("no-answer", title).evidence(faulty).advice(advice))
}
