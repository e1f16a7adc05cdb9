//! Processes many files in parallel.

use super::{EachBlock, stopped};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// The minimum number for parallel work.
pub(crate) const MANY: usize = 64;
const AT_A_TIME: usize = 16;

/// Calls `work` for every item and returns the results in order; the first error ends it. `each` receives every block
/// that the work reports, and every item before it starts.
pub(crate) fn each<T: Sync, R: Send>(
    items: &[T],
    each: &mut EachBlock<'_>,
    work: impl Fn(&T, &mut EachBlock<'_>) -> io::Result<R> + Sync,
) -> io::Result<Vec<R>> {
    if items.len() < MANY {
        let one = |item| {
            each(0)?;
            work(item, each)
        };
        return items.iter().map(one).collect();
    }
    // The channel is bounded, so that no worker is far ahead when the work should end.
    let (tell, told) = mpsc::sync_channel(AT_A_TIME);
    let next = AtomicUsize::new(0);
    let one_after_the_other = |tell: mpsc::SyncSender<u64>| {
        let mut done = Vec::new();
        let mut block = |more| tell.send(more).map_err(|_| stopped());
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(number) else { return Ok(done) };
            let result = block(0).and_then(|()| work(item, &mut block));
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
        // `each` need not be thread-safe, so this thread calls it for all workers.
        let ended = told.iter().try_for_each(each);
        drop(told);
        for worker in workers {
            let done: io::Result<Vec<_>> = worker.join().map_err(|_| io::Error::other("a thread panicked"))?;
            match &ended {
                Ok(()) => all.extend(done?),
                Err(_) => drop(done),
            }
        }
        ended
    })?;
    all.sort_unstable_by_key(|(number, _)| *number);
    Ok(all.into_iter().map(|(_, result)| result).collect())
}
