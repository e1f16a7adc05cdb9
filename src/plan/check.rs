//! Checks of key combinations that make no sense.

use super::reader::{Problem, Reader};
use super::{Action, Component, Method, Plan};

/// Reports every invalid combination.
pub(super) fn combinations(reader: &mut Reader, plan: &Plan) {
    for component in Component::ALL {
        without_installation(reader, plan, component);
        pinned_nothing(reader, component);
    }
    silent_without_switches(reader, plan);
    console_with_properties(reader, plan);
    sdk_in_two_places(reader, plan);
    pairs(reader, plan);
}

/// Keys about an installation if nothing is installed.
fn without_installation(reader: &mut Reader, plan: &Plan, component: Component) {
    let (word, does) = match plan.common(component).action {
        Action::Auto | Action::Upgrade => return,
        Action::Remove => ("remove", "nothing is installed"),
        Action::Keep => ("keep", "nothing changes"),
    };
    for key in ["installer", "sha256", "arguments"] {
        if let Some(span) = reader.span(&format!("{component}.{key}")) {
            let message = format!("`{component}.{key}` has no effect with `action = \"{word}\"`");
            let action = reader.span(&format!("{component}.action"));
            reader.problem(Problem::new(message, span, "for an installation").also(action, does));
        }
    }
}

fn pinned_nothing(reader: &mut Reader, component: Component) {
    let installer = reader.span(&format!("{component}.installer"));
    if let (Some(span), None) = (reader.span(&format!("{component}.sha256")), installer) {
        let message = format!("`{component}.sha256` has no installer to check");
        let problem = Problem::new(message, span, "").hint(format!("add `installer` to `[{component}]`"));
        reader.problem(Problem { absence: true, ..problem });
    }
}

fn silent_without_switches(reader: &mut Reader, plan: &Plan) {
    if let (Some([]), Some(span)) = (plan.server.arguments.as_deref(), reader.span("server.arguments")) {
        let hint = "remove the key; the run then asks you to run the installer".to_owned();
        reader.problem(Problem::new("`server.arguments` is empty", span, "no silent switch").hint(hint));
    }
}

fn console_with_properties(reader: &mut Reader, plan: &Plan) {
    for component in Component::WEB {
        let console =
            plan.web(component).is_some_and(|web| web.method == Method::Console && !web.properties.is_empty());
        if let (true, Some(span)) = (console, reader.span(&format!("{component}.properties"))) {
            let message = format!("`{component}.properties` has no effect with `method = \"console\"`");
            let method = reader.span(&format!("{component}.method"));
            reader.problem(Problem::new(message, span, "for the package").also(method, "you install it"));
        }
    }
}

fn sdk_in_two_places(reader: &mut Reader, plan: &Plan) {
    let upgrade = plan.sdk.web.common.action == Action::Upgrade;
    if let (true, Some(url)) = (upgrade, reader.span("sdk.url")) {
        let problem = Problem::new("the Web Service SDK cannot be on this server and on another one", url, "elsewhere")
            .also(reader.span("sdk.action"), "here")
            .hint("`url` is for web servers whose SDK is on the agent's server".to_owned());
        reader.problem(problem);
    }
}

/// Two components with the same product or the same location in IIS.
fn pairs(reader: &mut Reader, plan: &Plan) {
    for (index, &second) in Component::ALL.iter().enumerate() {
        for &first in Component::ALL.iter().take(index) {
            same_product(reader, plan, first, second);
            same_directory(reader, plan, first, second);
        }
    }
}

fn same_product(reader: &mut Reader, plan: &Plan, first: Component, second: Component) {
    let code = |component| plan.common(component).product_code.as_ref().map(|code| code.as_str().to_ascii_uppercase());
    let same = code(first).is_some() && code(first) == code(second);
    if let (true, Some(span)) = (same, reader.span(&format!("{second}.product-code"))) {
        let message = format!("`{first}` and `{second}` cannot be the same product");
        let also = reader.span(&format!("{first}.product-code"));
        reader.problem(Problem::new(message, span, "this code").also(also, "and here"));
    }
}

fn same_directory(reader: &mut Reader, plan: &Plan, first: Component, second: Component) {
    let (Some(one), Some(other)) = (plan.web(first), plan.web(second)) else { return };
    let installed = [one, other].iter().all(|web| matches!(web.common.action, Action::Auto | Action::Upgrade));
    let site = |name: &Option<String>| name.as_ref().map(|name| name.to_lowercase());
    let same = one.virtual_directory.as_str().eq_ignore_ascii_case(other.virtual_directory.as_str());
    if !installed || !same || site(&one.site) != site(&other.site) {
        return;
    }
    let hint = "give them different names, or specify different sites with `site`".to_owned();
    let given = [second, first].map(|component| reader.span(&format!("{component}.virtual-directory")));
    let [Some(span), also] = given else {
        // Only one of them is in the file; the other one is a default.
        if let [None, Some(span)] = given {
            let message = format!("`{first}` has the default virtual directory of `{second}`");
            reader.problem(Problem::new(message, span, "the same name").hint(hint));
        }
        return;
    };
    let message = match also {
        Some(_) => format!("`{first}` and `{second}` cannot have the same virtual directory on one site"),
        None => format!("`{second}` has the default virtual directory of `{first}`"),
    };
    reader.problem(Problem::new(message, span, "the same name").also(also, "as here").hint(hint));
}
