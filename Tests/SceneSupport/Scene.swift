package import Logging
import Safetensors
package import SiltPacking
package import SiltReading
package import Workers
import Synchronization
package import TensorTypes
package import TestSupport
package import Testing

/// A tensor with its data.
package struct TestTensor: Sendable {
    package let name: String
    package let info: TensorInfo
    package var bytes: [UInt8]

    /// A tensor of random bits.
    package init(_ name: String, _ dtype: DType, _ shape: [Int], using generator: inout SeededGenerator) throws {
        self.name = name
        info = try #require(TensorInfo(dtype: dtype, shape: shape))
        bytes = generator.bytes(info.bytes)
    }

    package init(_ name: String, _ dtype: DType, _ shape: [Int], _ bytes: [UInt8]) throws {
        self.name = name
        info = try #require(TensorInfo(dtype: dtype, shape: shape))
        self.bytes = bytes
    }

    /// A tensor of float patterns.
    package init(_ name: String, _ dtype: DType, _ shape: [Int], _ patterns: BitPatterns) throws {
        try self.init(name, dtype, shape, patterns.bytes)
    }

    /// The same data under another name.
    package func named(_ name: String) throws -> TestTensor { try TestTensor(name, info.dtype, info.shape, bytes) }

    /// A few bytes changed.
    package func moved(every step: Int, using generator: inout SeededGenerator) -> TestTensor {
        var copy = self
        for index in stride(from: step / 2, to: bytes.count, by: step) {
            copy.bytes[index] ^= UInt8(1 + generator.below(3))
        }
        return copy
    }
}

/// A directory with a base and a result, and what is made of them.
package struct Scene: Sendable {
    package let directory: TemporaryDirectory
    package let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    package init() throws { directory = try TemporaryDirectory() }

    package func write(_ tensors: [TestTensor], to name: String, metadata: [String: String]? = nil) throws {
        if let slash = name.lastIndex(of: "/") { try directory.makeDirectory(String(name[..<slash])) }
        try SafetensorsWriter.write(
            tensors.map { ($0.name, $0.info, $0.bytes) }, metadata: metadata, to: directory(name), replacing: true)
    }

    @discardableResult
    package func pack(
        _ base: String = "base", _ result: String = "result", to output: String = "out.silt",
        codec: PackOptions.CodecChoice = .auto, threads: Int = 2, replacing: Bool = false,
        progress: Progress.Handler? = nil, cancellation: Cancellation = Cancellation()
    ) throws -> PackReport {
        var options = PackOptions()
        (options.codec, options.replaceExisting) = (codec, replacing)
        let context = WorkContext(
            threads: threads, log: log, events: ProgressLog.events(progress), cancellation: cancellation)
        let report = try Packer(context, options).pack(
            base: directory(base), fineTuned: directory(result), to: directory(output))
        try PackedCopies.keep(base: directory(base), result: directory(result), file: directory(output))
        return report
    }

    @discardableResult
    package func unpack(
        _ base: String = "base", _ file: String = "out.silt", to output: String = "back", only: String? = nil,
        threads: Int = 2, replacing: Bool = false, progress: Progress.Handler? = nil,
        cancellation: Cancellation = Cancellation()
    ) throws -> Unpacker.Report {
        let unpacker = Unpacker(
            WorkContext(threads: threads, log: log, events: ProgressLog.events(progress), cancellation: cancellation),
            replaceExisting: replacing)
        if let only {
            return try unpacker.unpack(only: only, base: directory(base), file: directory(file), to: directory(output))
        }
        return try unpacker.unpack(base: directory(base), file: directory(file), to: directory(output))
    }

    package func verify(
        _ base: String = "base", _ file: String = "out.silt", against: String? = nil, sha256: Bool = false,
        threads: Int = 2,
        progress: Progress.Handler? = nil
    ) throws -> VerifyReport {
        try Verifier(
            WorkContext(threads: threads, log: log, events: ProgressLog.events(progress)), checksSHA256: sha256
        ).verify(
            base: directory(base), file: directory(file), against: against.map { directory($0) })
    }

    /// Packs files of these tensors, unpacks and verifies.
    ///
    /// Expects the same bytes. Tells what the Silt file holds.
    @discardableResult
    package func roundTrip(
        _ base: [TestTensor], _ result: [TestTensor], codec: PackOptions.CodecChoice = .auto, threads: Int = 2,
        _ location: SourceLocation = #_sourceLocation
    ) throws -> [String: Inspection.Tensor] {
        try write(base, to: "base")
        try write(result, to: "result", metadata: ["format": "pt"])
        let report = try pack(codec: codec, threads: threads, replacing: true)
        let packed = try #require(directory.read("out.silt"), sourceLocation: location)
        #expect(report.bytes == packed.count, sourceLocation: location)
        try unpack(threads: threads, replacing: true)
        let isEqual = directory.read("back") == directory.read("result")
        #expect(isEqual, "what came back differs", sourceLocation: location)
        let verified = try verify(against: "result", sha256: true, threads: threads)
        #expect(verified.identical && verified.compared, "\(verified.differences)", sourceLocation: location)
        let inspection = try Inspection(of: directory("out.silt"))
        #expect(inspection.bytes == packed.count && inspection.tensors.count == result.count, sourceLocation: location)
        return Dictionary(uniqueKeysWithValues: inspection.tensors.map { ($0.name, $0) })
    }
}

/// Collects reports of progress from any thread.
package final class ProgressLog: Sendable {
    private let reports = Mutex<[Progress]>([])

    package init() {}

    /// What tells `handler` of progress, and of nothing else.
    package static func events(_ handler: Progress.Handler?) -> WorkContext.EventHandler? {
        guard let handler else { return nil }
        return { if let progress = $0 as? Progress { handler(progress) } }
    }

    package var handler: Progress.Handler {
        { report in self.reports.withLock { $0.append(report) } }
    }

    /// By phase: the largest sum, and the totals that were told.
    package var phases: [String: (done: Int, totals: Set<Int>)] {
        reports.withLock { reports in
            reports.reduce(into: [:]) { phases, report in
                phases[report.phase, default: (0, [])].done = max(phases[report.phase]?.done ?? 0, report.done)
                phases[report.phase]?.totals.insert(report.total)
            }
        }
    }

    package var names: Set<String> { reports.withLock { Set($0.map(\.name)) } }
}
