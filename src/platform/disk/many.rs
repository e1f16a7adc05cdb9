//! The same work on many files, several at a time.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// From so many on it is worth it.
pub(crate) const MANY: usize = 64;
const AT_A_TIME: usize = 16;

/// Does `work` on every item and answers in their order; the first error ends it. `watch` hears of what the work tells.
pub(crate) fn each<T: Sync, R: Send>(
    items: &[T],
    watch: &mut dyn FnMut(u64),
    work: impl Fn(&T, &mut dyn FnMut(u64)) -> io::Result<R> + Sync,
) -> io::Result<Vec<R>> {
    if items.len() < MANY {
        return items.iter().map(|item| work(item, watch)).collect();
    }
    let (tell, told) = mpsc::channel();
    let next = AtomicUsize::new(0);
    let one_after_the_other = |tell: mpsc::Sender<u64>| {
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(number) else { return Ok(done) };
            // Nobody listens any more only where this whole call is over.
            let result = work(item, &mut |more| {
                tell.send(more).ok();
            });
            done.push((number, result.inspect_err(|_| next.store(items.len(), Ordering::Relaxed))?));
        }
    };
    let mut all = Vec::with_capacity(items.len());
    thread::scope(|scope| {
        let start = || {
            let tell = tell.clone();
            scope.spawn(|| one_after_the_other(tell))
        };
        let workers: Vec<_> = std::iter::repeat_with(start).take(AT_A_TIME).collect();
        drop(tell);
        told.iter().for_each(watch);
        for worker in workers {
            let done: io::Result<Vec<_>> = worker.join().map_err(|_| io::Error::other("a thread panicked"))?;
            all.extend(done?);
        }
        Ok::<_, io::Error>(())
    })?;
    all.sort_unstable_by_key(|(number, _)| *number);
    Ok(all.into_iter().map(|(_, result)| result).collect())
}
