internal import Workers
internal import ArgumentParser
internal import Logging
internal import TensorTypes

/// Options of every command.
struct CommonOptions: ParsableArguments {
    @Flag(help: "Print one JSON object instead of a table.")
    var json = false

    @Flag(name: [.short, .long], help: "Print only errors (and JSON, with --json).")
    var quiet = false

    @Flag(name: [.short, .long], help: "Report findings and choices on standard error.")
    var verbose = false

    func validate() throws {
        if quiet && verbose { throw ValidationError("--quiet and --verbose cannot be combined.") }
    }

    /// The log of the library, on standard error.
    var log: Logger {
        var logger = Logger(label: "silt") { _ in StandardErrorLog() }
        logger.logLevel = verbose ? .debug : quiet ? .error : .notice
        return logger
    }

    /// Prints a report: as JSON, as lines, or not at all.
    func report(_ json: JSONValue, _ lines: @autoclosure () -> [String]) {
        if self.json {
            Terminal.emit(Flags.worded(String(decoding: json.serialized(pretty: true), as: UTF8.self)))
        } else if !quiet {
            for line in lines() { Terminal.say(line) }
        }
    }
}

/// Options of commands that go over whole checkpoints.
struct WorkOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "Worker threads (default: all processors).")
    var threads: Int?

    func validate() throws {
        if let threads, !(1...1_024).contains(threads) { throw ValidationError("--threads must be 1 to 1024.") }
    }

    /// Threads to use.
    var workers: Int { threads ?? Terminal.processors }

    /// Runs `body` in a context of these options, and shows what it tells meanwhile.
    func run<R>(_ common: CommonOptions, _ body: (WorkContext) throws -> R) rethrows -> R {
        var context = WorkContext(threads: workers, log: common.log, cancellation: Interruption.cancellation)
        let printer = EventPrinter(isVerbose: common.verbose, isQuiet: common.quiet)
        defer { printer.clear() }
        context.events = printer.handler
        return try body(context)
    }
}

/// Writes log lines to standard error.
struct StandardErrorLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .notice

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { Terminal.complain("\(event.level): \(Flags.worded("\(event.message)"))") }
}
