import SiltFormat
import SiltReading
import Workers
import Logging
import TensorTypes
import TestSupport
import Testing

@Suite("Evaluations in a file")
struct EvaluationTests {
    private let directory: TemporaryDirectory
    private let context = WorkContext(threads: 1, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    private let base = Repository.path("Formats/Vectors/bases/tiny.safetensors")

    init() throws {
        directory = try TemporaryDirectory()
        for name in ["lossy-evaluations", "lossy-dropped"] {
            try directory.write(#require(Repository.bytes("Formats/Vectors/valid/\(name).silt")), to: "\(name).silt")
        }
    }

    @Test("inspection shows all of them, in order")
    func inspection() throws {
        let evaluations = try Inspection(of: directory("lossy-evaluations.silt")).evaluations
        #expect(
            evaluations.map(\.use.rawValue) == ["test", "test", "validation", "calibration", "test", "test", "test"])
        #expect(evaluations.map { $0.base != nil } == [false, false, true, false, true, false, true])
        let matthews = try #require(evaluations.first { $0.metric == "matthews" })
        #expect(matthews.base == -0.5 && matthews.fineTuned == 1 && matthews.rebuilt == 1e25)
        #expect(matthews.examples == 872 && matthews.data.hasPrefix("0123456789abcdef"))
        #expect(try Inspection(of: directory("lossy-dropped.silt")).evaluations.isEmpty)
    }

    @Test("another q removes them, and nothing brings them back")
    func rescale() throws {
        let file = directory("lossy-evaluations.silt")
        let rescaler = Rescaler(context)
        let first = try rescaler.rescale(file, q: .value(0.5))
        #expect(first.removedEvaluations == 7 && first.tensors == 1)
        #expect(try Inspection(of: file).evaluations.isEmpty)
        try rescaler.update(base: base, file: file)
        let updated = try Inspection(of: file)
        #expect(updated.evaluations.isEmpty && updated.resultRoot != nil)
        #expect(try rescaler.rescale(file, q: .value(0.25), base: base).removedEvaluations == 0)
    }

    @Test("with the base at hand they are removed as well")
    func rescaleWithBase() throws {
        let file = directory("lossy-evaluations.silt")
        #expect(try Rescaler(context).rescale(file, q: .none, base: base).removedEvaluations == 7)
        #expect(try Inspection(of: file).evaluations.isEmpty)
    }

    @Test("what changes no result leaves them")
    func update() throws {
        let file = directory("lossy-evaluations.silt")
        try Rescaler(context).update(base: base, file: file)
        #expect(try Inspection(of: file).evaluations.count == 7)
        #expect(throws: SiltError.self) { try Rescaler(context).rescale(file, q: .value(0.5), only: "nothing") }
        #expect(try Inspection(of: file).evaluations.count == 7)
    }
}
