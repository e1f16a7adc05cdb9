//! The same work on many files, several at a time.

use super::{EachBlock, stopped};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// From so many on it is worth it.
pub(crate) const MANY: usize = 64;
const AT_A_TIME: usize = 16;

/// Does `work` on every item and answers in their order; the first error ends it. `each` hears of every block that the
/// work tells of, and of every item before it is begun.
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
    // Whoever tells more than is listened to waits: nobody is far ahead when the work is to end.
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
        // Whoever listens need not be made for several threads, so this one listens for all of them.
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
