#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Calls for processes, pipes and the machine.
extension System {
    /// A pipe; the caller closes both ends.
    package static func pipe() throws(SystemError) -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [0, 0]
        #if canImport(Glibc)
            try retry { unsafe Glibc.pipe(&ends) }
        #elseif canImport(Musl)
            try retry { unsafe Musl.pipe(&ends) }
        #else
            try retry { unsafe Darwin.pipe(&ends) }
        #endif
        return (ends[0], ends[1])
    }

    /// Waits until there is something to read, or the other end is closed; false if neither happens in time.
    package static func waitForInput(_ descriptor: Int32, milliseconds: Int32) throws(SystemError) -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return try retry { unsafe poll(&request, 1, milliseconds) } > 0
    }

    /// Reads what comes next, up to the size of `buffer`; says how many bytes these are: 0 at the end.
    package static func read(_ descriptor: Int32, into buffer: inout [UInt8]) throws(SystemError) -> Int {
        #if canImport(Glibc)
            try retry { unsafe Glibc.read(descriptor, &buffer, buffer.count) }
        #elseif canImport(Musl)
            try retry { unsafe Musl.read(descriptor, &buffer, buffer.count) }
        #else
            try retry { unsafe Darwin.read(descriptor, &buffer, buffer.count) }
        #endif
    }

    /// What a process is told.
    package enum Signal: Sendable {
        /// To end, when it is ready to.
        case terminate
        /// To end now.
        case kill
    }

    /// Sends a signal to a group of processes; one that is no more is no error.
    package static func send(_ signal: Signal, toGroup group: Int32) {
        _ = kill(-group, signal == .terminate ? SIGTERM : SIGKILL)
    }

    /// How a child ended: its exit code, or 128 and the number of the signal that ended it; nil if it has not, and `waits` is false.
    package static func status(ofChild child: Int32, waits: Bool) throws(SystemError) -> Int? {
        var status: Int32 = 0
        guard try retry({ unsafe waitpid(child, &status, waits ? 0 : WNOHANG) }) != 0 else { return nil }
        let signal = Int(status & 0x7F)
        return signal == 0 ? Int(status >> 8 & 0xFF) : 128 + signal
    }

    /// Lets the thread sleep.
    package static func sleep(microseconds: UInt32) { usleep(useconds_t(microseconds)) }

    /// Starts the program `path` in a process group of its own, which has the number that is returned.
    ///
    /// It reads nothing, writes to `output` and has this process's standard error and environment. `closing` is closed in it. It
    /// does not ignore the signals that pipelines of the shell end by, even if this process does.
    package static func spawn(
        _ path: String, _ words: [String], output: Int32, closing reading: Int32
    ) throws(SystemError) -> Int32 {
        try check(path)
        for word in words { try check(word) }
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
            var attributes: posix_spawnattr_t?
        #else
            var actions = unsafe posix_spawn_file_actions_t()
            var attributes = posix_spawnattr_t()
        #endif
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
        unsafe posix_spawn_file_actions_addclose(&actions, reading)
        if output != 1 { unsafe posix_spawn_file_actions_addclose(&actions, output) }
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        for number in [SIGPIPE, SIGXFSZ] { unsafe sigaddset(&signals, number) }
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
        var child: pid_t = 0
        let texts: [UnsafeMutablePointer<CChar>?] = unsafe words.map { unsafe strdup($0) } + [nil]
        defer { unsafe texts.forEach { unsafe free($0) } }
        let number = unsafe posix_spawn(&child, path, &actions, &attributes, texts, environ)
        guard number == 0 else { throw SystemError(number: number) }
        return child
    }

    /// Bytes of the machine's memory; nil where the system does not say.
    package static var physicalMemory: Int? {
        let (pages, size) = (sysconf(Int32(_SC_PHYS_PAGES)), sysconf(Int32(_SC_PAGESIZE)))
        guard pages > 0, size > 0 else { return nil }
        let bytes = pages.multipliedReportingOverflow(by: size)
        return bytes.overflow ? nil : bytes.partialValue
    }
}
