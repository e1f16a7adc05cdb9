//! `<location>` around sections that hold for the whole application all the same.
//!
//! Many an administrator puts sections into `<location path="." inheritInChildApplications="false">`, so that
//! applications further down do not inherit them. For ASP.NET a path of `.`, or none, is no place of its own: such a
//! section is the one of the file, and must not be given a second time. So the merge sees through these tags: the
//! structure of a [`Document`] is that of its text with them blanked out, which leaves everything else where it is.
//! What became of the tags themselves is a difference like others.

use crate::webconfig::merge::reasons::{DOUBT, NO_BASE, ONLY_REPORTED};
use crate::webconfig::merge::{Change, Draft, OtherChanges, Scene, Triple, decide, matching, refused};
use crate::webconfig::text::{Splice, Wrap, beside, edit, space_before};
use crate::webconfig::{ConfigError, Document, Shown};
use roxmltree::Node;

const SHARED: &str = "in one of the files it contains other sections as well; change it manually";

/// The files of a merge as they are, where one of them cannot be seen through.
pub(crate) fn as_they_are(files: &[&Document]) -> Result<Option<Vec<Document>>, ConfigError> {
    if files.iter().all(|file| file.is_seen_through()) {
        return Ok(None);
    }
    files.iter().map(|file| file.as_it_is()).collect::<Result<Vec<_>, _>>().map(Some)
}

/// A section, and the tags around it in the old file.
struct Wanted<'t> {
    section: Node<'t, 't>,
    /// The old file's.
    own: Node<'t, 't>,
    tag: Option<&'t str>,
    /// The tags around it in the new file.
    there: Option<&'t Wrap>,
}

/// Accounts for the tags around each section of the new file. What has to come first and what last at the places of the
/// new file where other things come, too, is returned: the ends and the starts of new tags.
pub(crate) fn compare<'t>(scene: &Scene<'t>, draft: &mut Draft<'t>) -> (Vec<Splice>, Vec<Splice>) {
    let (of_old, of_new) = (scene.sources.old, scene.sources.new);
    let of_base = scene.sources.base.unwrap_or(of_new);
    if [of_old, of_base, of_new].iter().all(|document| document.wraps().is_empty()) {
        return (Vec::new(), Vec::new());
    }
    let root =
        Triple { old: Some(scene.old), base: scene.base.or(Some(scene.new)), new: Some(scene.new), is_unique: true };
    let children = matching::children(root, &[]);
    let tag = |document: &'t Document, node: Option<Node<'t, 't>>| {
        let wrap = document.wrap_around(&node?.range())?;
        Some(&document.text()[wrap.start.clone()])
    };
    let mut wanted = Vec::new();
    for (at, child) in children.triples.iter().enumerate() {
        let (Some(own), Some(section)) = (child.old, child.new) else { continue };
        let tags = [tag(of_old, Some(own)), tag(of_base, child.base), tag(of_new, Some(section))];
        let [old, base, new] = tags.map(|tag| tag.map(beside::squeezed));
        if old == base {
            continue;
        }
        let path = draft.path(format!("{}/(location)", children.step(at)));
        let there = of_new.wrap_around(&section.range());
        let is_alone = there.is_none_or(|wrap| is_alone(section, wrap));
        let guard = || {
            refused(&[
                (scene.base.is_none(), NO_BASE),
                (scene.rules.other_changes == OtherChanges::Report, ONLY_REPORTED),
                (!child.is_unique, DOUBT),
                (!is_alone, SHARED),
            ])
        };
        let fate = decide([old.as_ref(), base.as_ref(), new.as_ref()], guard, || scene.rules.conflict(&path));
        if fate.carries() {
            wanted.push(Wanted { section, own, tag: tags[0], there });
        }
        draft.change(Change::of(path, Shown::plain(old), Shown::plain(new), fate));
    }
    written(scene, draft, wanted)
}

/// Whether nothing but this section is between these tags.
fn is_alone(section: Node<'_, '_>, wrap: &Wrap) -> bool {
    let is_outside = |node: Node<'_, '_>| node.range().end <= wrap.start.start || node.range().start >= wrap.end.end;
    section.prev_sibling_element().is_none_or(is_outside) && section.next_sibling_element().is_none_or(is_outside)
}

fn written<'t>(scene: &Scene<'t>, draft: &mut Draft<'t>, mut wanted: Vec<Wanted<'t>>) -> (Vec<Splice>, Vec<Splice>) {
    let document = scene.sources.new;
    let written = |tag: &str| document.with_own_line_ends(tag);
    wanted.sort_by_key(|wanted| wanted.section.range().start);
    let (mut ends, mut starts) = (Vec::new(), Vec::new());
    let mut left = &wanted[..];
    while let [Wanted { section, tag, there, .. }, ..] = left {
        let mut count = 1;
        match (tag, there) {
            (Some(tag), Some(wrap)) => draft.splice(Splice { range: wrap.start.clone(), text: written(tag) }),
            (None, Some(wrap)) => {
                for tag in [&wrap.start, &wrap.end] {
                    draft.splice(edit::take_out(document, tag.clone()));
                }
            }
            (Some(tag), None) => {
                // Neighbours that were in one are in one again. Between others there may be something that must not be
                // in it, such as a `location` for a path.
                let around = |own: Node<'_, '_>| scene.sources.old.wrap_around(&own.range());
                let is_next = |pair: &[Wanted<'t>]| {
                    pair[0].section.next_sibling_element() == Some(pair[1].section)
                        && pair[0].own.next_sibling_element() == Some(pair[1].own)
                        && pair[1].there.is_none()
                        && around(pair[0].own) == around(pair[1].own)
                };
                count += left.windows(2).take_while(|pair| is_next(pair)).count();
                let (start, end) = (beside::extent(*section).start, beside::end(left[count - 1].section));
                let space = space_before(document.text(), start);
                ends.push(Splice { range: end..end, text: format!("{space}</location>") });
                starts.push(Splice { range: start..start, text: written(tag) + &space });
            }
            (None, None) => {}
        }
        left = &left[count..];
    }
    (ends, starts)
}
