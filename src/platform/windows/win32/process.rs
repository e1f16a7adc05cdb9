//! Running programs with all their child processes. Nothing here can end one.
#![allow(unsafe_code, reason = "calls of the Windows API, each with the reason why it holds")]

use super::check;
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::process::Child;
use std::ptr;
use windows_sys::Win32::Foundation::{FILETIME, HANDLE, INVALID_HANDLE_VALUE, WAIT_TIMEOUT};
use windows_sys::Win32::System::Diagnostics::ToolHelp::{
    CreateToolhelp32Snapshot, PROCESSENTRY32W, Process32FirstW, Process32NextW, TH32CS_SNAPPROCESS, TH32CS_SNAPTHREAD,
    THREADENTRY32, Thread32First, Thread32Next,
};
use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOBOBJECT_BASIC_ACCOUNTING_INFORMATION,
    JobObjectBasicAccountingInformation, QueryInformationJobObject,
};
use windows_sys::Win32::System::Threading::{
    GetProcessTimes, OpenProcess, OpenThread, PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SYNCHRONIZE, ResumeThread,
    THREAD_SUSPEND_RESUME, WaitForSingleObject,
};

fn size_of_u32<T>() -> u32 {
    u32::try_from(size_of::<T>()).unwrap_or_default()
}

/// A job object: it counts the running processes of a program and its children. Closing it ends none of them.
pub(in crate::platform::windows) struct Job(OwnedHandle);

impl Job {
    /// A job without processes.
    pub(in crate::platform::windows) fn new() -> io::Result<Self> {
        // SAFETY: a job without a name and with the usual rights; the handle is owned by the result.
        unsafe {
            let handle = CreateJobObjectW(ptr::null(), ptr::null());
            check(i32::from(!handle.is_null()))?;
            Ok(Self(OwnedHandle::from_raw_handle(handle)))
        }
    }

    /// Assigns a process to the job, with all its future child processes. Windows 7 rejects this if this program runs
    /// in a job itself.
    pub(in crate::platform::windows) fn take_in(&self, child: &Child) -> io::Result<()> {
        // SAFETY: both handles are open.
        check(unsafe { AssignProcessToJobObject(self.0.as_raw_handle(), child.as_raw_handle()) })
    }

    /// The number of its running processes.
    pub(in crate::platform::windows) fn running(&self) -> io::Result<u32> {
        let mut counts = JOBOBJECT_BASIC_ACCOUNTING_INFORMATION::default();
        // SAFETY: the buffer is a structure of the class that is asked for, with its size.
        check(unsafe {
            QueryInformationJobObject(
                self.0.as_raw_handle(),
                JobObjectBasicAccountingInformation,
                (&raw mut counts).cast(),
                size_of_u32::<JOBOBJECT_BASIC_ACCOUNTING_INFORMATION>(),
                ptr::null_mut(),
            )
        })?;
        Ok(counts.ActiveProcesses)
    }
}

fn snapshot(what: u32) -> io::Result<OwnedHandle> {
    // SAFETY: the handle is checked, then owned by the result.
    unsafe {
        let handle: HANDLE = CreateToolhelp32Snapshot(what, 0);
        match handle == INVALID_HANDLE_VALUE {
            true => Err(io::Error::last_os_error()),
            false => Ok(OwnedHandle::from_raw_handle(handle)),
        }
    }
}

/// Resumes a suspended process.
pub(in crate::platform::windows) fn resume(process: u32) -> io::Result<()> {
    let threads = snapshot(TH32CS_SNAPTHREAD)?;
    let mut entry = THREADENTRY32 { dwSize: size_of_u32::<THREADENTRY32>(), ..THREADENTRY32::default() };
    // SAFETY: the structure says its size; the thread's handle is closed by its owner.
    unsafe {
        let mut more = Thread32First(threads.as_raw_handle(), &mut entry);
        while more != 0 {
            if entry.th32OwnerProcessID == process {
                let thread = OpenThread(THREAD_SUSPEND_RESUME, 0, entry.th32ThreadID);
                check(i32::from(!thread.is_null()))?;
                let thread = OwnedHandle::from_raw_handle(thread);
                return match ResumeThread(thread.as_raw_handle()) {
                    u32::MAX => Err(io::Error::last_os_error()),
                    _ => Ok(()),
                };
            }
            more = Thread32Next(threads.as_raw_handle(), &mut entry);
        }
    }
    Err(io::Error::new(io::ErrorKind::NotFound, "the process has no thread"))
}

/// A process that runs.
#[derive(Debug, Clone)]
pub(in crate::platform::windows) struct Process {
    /// Its id.
    pub(in crate::platform::windows) id: u32,
    /// The PID of its parent, which may have ended.
    pub(in crate::platform::windows) parent: u32,
    /// The file name of its program.
    pub(in crate::platform::windows) name: String,
}

/// All running processes.
pub(in crate::platform::windows) fn all() -> io::Result<Vec<Process>> {
    let processes = snapshot(TH32CS_SNAPPROCESS)?;
    let mut entry = PROCESSENTRY32W { dwSize: size_of_u32::<PROCESSENTRY32W>(), ..PROCESSENTRY32W::default() };
    let mut all = Vec::new();
    // SAFETY: the structure says its size.
    unsafe {
        let mut more = Process32FirstW(processes.as_raw_handle(), &mut entry);
        while more != 0 {
            all.push(Process {
                id: entry.th32ProcessID,
                parent: entry.th32ParentProcessID,
                name: super::narrow(&entry.szExeFile),
            });
            more = Process32NextW(processes.as_raw_handle(), &mut entry);
        }
    }
    Ok(all)
}

/// When a running process was started, in steps of 100 nanoseconds since 1601; `None` if it is not running or not
/// accessible.
pub(in crate::platform::windows) fn started(process: u32) -> Option<u64> {
    let mut times = [FILETIME::default(); 4];
    let [created, ended, kernel, user] = &mut times;
    // SAFETY: the handle is owned once it is there; the four times outlive the call.
    unsafe {
        let handle = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | PROCESS_SYNCHRONIZE, 0, process);
        let handle = (!handle.is_null()).then(|| OwnedHandle::from_raw_handle(handle))?;
        let runs = WaitForSingleObject(handle.as_raw_handle(), 0) == WAIT_TIMEOUT;
        let told = GetProcessTimes(handle.as_raw_handle(), created, ended, kernel, user) != 0;
        (runs && told).then_some(u64::from(created.dwHighDateTime) << 32 | u64::from(created.dwLowDateTime))
    }
}
