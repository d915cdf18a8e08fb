import SceneSupport
import SiltPacking
import Workers
import Logging
import TensorTypes
import TestSupport
import Testing

/// One line of Sizes.csv.
struct SizeLine: Sendable, CustomTestStringConvertible {
    let codec: String
    let bytes: Int
    /// How many per cent more are allowed: 1 where zstd, whose versions differ, codes the tensors.
    let percent: Double

    var testDescription: String { codec }

    static let all: [SizeLine] = Repository.text("Tests/SiltPackingTests/Sizes.csv").split(separator: "\n").dropFirst()
        .compactMap {
            let fields = $0.split(separator: ",")
            guard fields.count == 3, let bytes = Int(fields[1]), let percent = Double(fields[2]) else { return nil }
            return SizeLine(codec: String(fields[0]), bytes: bytes, percent: percent)
        }
}

@Suite("Sizes of the committed pair", .serialized)
struct SizeTests {
    @Test("there is a line for every codec")
    func complete() {
        #expect(Set(SizeLine.all.map(\.codec)) == Set(PackOptions.CodecChoice.allCases.map(\.rawValue)))
    }

    @Test("a packed pair has not grown", arguments: SizeLine.all)
    func size(line: SizeLine) throws {
        let directory = try TemporaryDirectory()
        var options = PackOptions()
        options.codec = try #require(PackOptions.CodecChoice(rawValue: line.codec))
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let (base, result) = (Repository.path("Tests/Data/small-base"), Repository.path("Tests/Data/small-foods"))
        let report = try Packer(WorkContext(log: log), options).pack(
            base: base, fineTuned: result, to: directory("out.silt"))
        try PackedCopies.keep(base: base, result: result, file: directory("out.silt"))
        let change = 100 * Double(report.bytes - line.bytes) / Double(line.bytes)
        #expect(
            change <= line.percent,
            "\(line.codec): \(report.bytes) bytes instead of \(line.bytes); if that must be, change Tests/SiltPackingTests/Sizes.csv"
        )
        if change < -line.percent {
            Issue.record(
                "\(line.codec): only \(report.bytes) bytes instead of \(line.bytes): update Tests/SiltPackingTests/Sizes.csv",
                severity: .warning)
        }
    }
}
