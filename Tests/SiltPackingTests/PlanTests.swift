import Logging
import SiltFormat
import SiltPacking
import TensorTypes
import TestSupport
import Testing
import Workers

@Suite("A plan is made once and encoded many times")
struct PlanTests {
    private let directory: TemporaryDirectory
    private let context = WorkContext(log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    private let base = Repository.path("Tests/Data/small-base")
    private let fineTuned = Repository.path("Tests/Data/small-foods")

    init() throws { directory = try TemporaryDirectory() }

    /// The bytes of a file that the packer makes by itself.
    private func packed(_ options: PackOptions) throws -> [UInt8] {
        var options = options
        options.replaceExisting = true
        _ = try Packer(context, options).pack(base: base, fineTuned: fineTuned, to: directory("direct.silt"))
        return try #require(directory.read("direct.silt"))
    }

    /// Ways to leave some tensors exact: all matrices of a layer, so that a search for predictions begins elsewhere; some of
    /// them; nearly all.
    private static let patterns: [String?] = [nil, "layer\\.1\\.", "layer\\.0\\.output", "attention|embeddings"]

    @Test("a lossy file that takes over what is exact is the one that is packed alone", arguments: [1, 3], patterns)
    func takenOver(level: Int, except: String?) throws {
        var options = PackOptions()
        options.level = level
        let exactPacker = Packer(context, options)
        let exactWriter = try ContainerWriter(at: directory("out.silt"), replacing: false)
        let plan = try exactPacker.plan(PackPair(base: base, fineTuned: fineTuned))
        let exact = try exactPacker.write(plan, nil, into: exactWriter)
        #expect(try exact.bytes() == packed(options).count)
        var lossy = LossyOptions()
        lossy.except = except
        options.lossy = lossy
        let writer = try ContainerWriter(at: directory("out.silt"), replacing: false)
        let packing = try Packer(context, options).write(
            exact, LossyDecision(lossy), from: exactWriter.written(), into: writer)
        #expect(try writer.finish(packing.manifest) == packing.bytes())
        #expect(try directory.read("out.silt") == packed(options))
    }

    @Test("an exact file may be finished after others were made of its plan")
    func finishedLater() throws {
        let packer = Packer(context)
        let writer = try ContainerWriter(at: directory("out.silt"), replacing: false)
        let plan = try packer.plan(PackPair(base: base, fineTuned: fineTuned))
        let exact = try packer.write(plan, nil, into: writer)
        _ = try packer.write(
            exact, LossyDecision(LossyOptions()), from: writer.written(), into: ContainerWriter())
        _ = try writer.finish(exact.manifest)
        let late = try #require(directory.read("out.silt")), alone = try packed(PackOptions())
        let differs = zip(late, alone).enumerated().first { $0.element.0 != $0.element.1 }?.offset
        #expect(
            late == alone, "\(late.count) and \(alone.count) bytes; the first that differs: \(differs ?? -1)")
    }

    @Test("chunks that were only counted are not read back")
    func counted() {
        #expect(code { _ = try ContainerWriter().written() } == .fault)
    }
}
