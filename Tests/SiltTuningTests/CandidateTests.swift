@testable import SiltTuning
import SiltFormat
import SiltPacking
import TensorTypes
import Testing

@Suite("Candidates of a search")
struct CandidateTests {
    @Test("a higher rung means a coarser option", arguments: CandidateFamily.all(rank: 256).map(\.name) + ["curvature"])
    func rungs(name: String) throws {
        let family = try #require(
            (CandidateFamily.all(rank: 256) + [.curvature]).first { $0.name == name })
        let rungs = (0..<family.rungs).map { family.options(Double($0), LossyOptions()) }
        for (finer, coarser) in zip(rungs, rungs.dropFirst()) {
            switch finer.method {
            case .random, .magnitude: #expect(finer.drop < coarser.drop)
            case .transform: #expect(finer.quality < coarser.quality)
            case .lowrank: #expect(try #require(finer.rank) > #require(coarser.rank))
            default: #expect(finer.values != coarser.values)
            }
        }
        for options in rungs { try options.check() }
        #expect(Set(rungs).count == family.rungs && family.rungs >= 1)
    }

    @Test("knobs begin and end where they are said to")
    func ends() {
        func ends(_ family: CandidateFamily) -> [LossyOptions] {
            [0, family.rungs - 1].map { family.options(Double($0), LossyOptions()) }
        }
        #expect(ends(.transform).map(\.quality) == [0.25, 256] && ends(.curvature).map(\.quality) == [0.0156, 64])
        #expect(ends(.random).map(\.drop) == [0.5, 0.999023] && ends(.magnitude).map(\.drop) == [0.5, 0.999023])
        #expect(ends(.lowRank(limit: 40)).map(\.rank) == [32, 1])
        for limit in [-1, 0, 1] { #expect(CandidateFamily.lowRank(limit: limit).rungs == 1) }
    }

    @Test("what all ways of packing share is kept by every family")
    func common() {
        var common = LossyOptions()
        (common.vectors, common.embeddings, common.heads, common.deadZone) = (.drop, .drop, .method, 0.35)
        common.except = "x"
        for family in CandidateFamily.all(rank: 8) + [.curvature] {
            let options = family.options(0, common)
            #expect(options.vectors == .drop && options.embeddings == .drop && options.heads == .method)
            #expect(options.deadZone == 0.35 && options.except == "x")
        }
        // Vectors that the method can step itself have its steps.
        common.vectors = .int4
        #expect(CandidateFamily.curvature.options(0, common).vectors == .method)
        #expect(CandidateFamily.transform.options(0, common).vectors == .int4)
    }

    @Test(
        "three significant digits",
        arguments: [
            (0.0123456, 0.0123), (1.2355, 1.24), (999.6, 1_000), (100, 100), (12_345, 12_300), (0, 0),
            (-1.2345, -1.23),
            (1e-9, 1e-9), (.infinity, .infinity),
        ])
    func rounding(value: Double, wanted: Double) { #expect(CandidateFamily.rounded(value) == wanted) }

    @Test("between rungs lie finer options")
    func between() {
        for family in CandidateFamily.all(rank: 8) + [.curvature] where family.isContinuous {
            let options = [3, 3.125, 3.25, 3.5, 4].map { family.options($0, LossyOptions()) }
            let knobs = options.map { $0.method == .transform ? $0.quality : $0.drop }
            #expect(knobs == knobs.sorted() && Set(knobs).count == 5, "\(family.name)")
        }
    }
}

@Suite("Sizes of candidates")
struct CandidateSizeTests {
    private let pair: TinyPair
    private let bench: Workbench

    /// Read once, for all tests.
    private static let shared = Result {
        let pair = try TinyPair()
        let inputs = try PackPair(base: pair.base, fineTuned: pair.fineTuned)
        let packer = Packer(pair.context())
        let exact = try packer.write(try packer.plan(inputs), nil, into: ContainerWriter())
        // The packer alone records no evaluations, so there must be none in the sizes.
        return try Workbench(exact, inputs.fineTuned, pair.context(), runsModels: false)
    }

    init() throws { (pair, bench) = try (TinyPair(), CandidateSizeTests.shared.get()) }

    @Test(
        "are those of the files that the packer writes",
        arguments: LossyOptions.Method.allCases.filter { $0 != .wanda }, [LossyOptions.Vectors.exact, .int4])
    func files(method: LossyOptions.Method, vectors: LossyOptions.Vectors) throws {
        var options = LossyOptions()
        (options.method, options.vectors) = (method, vectors)
        if vectors != .exact { (options.embeddings, options.heads) = (.method, .method) }
        let expected = try bench.code(options).bytes
        let written = try pair.pack(options).bytes
        #expect(TinyPair.isNear(expected, written), "\(expected) for \(written)")
    }

    @Test("know the exact file's size to the byte")
    func exact() throws {
        #expect(try bench.exactBytes == pair.pack(nil).bytes)
    }

    @Test("fall from rung to rung", arguments: CandidateFamily.all(rank: 32).map(\.name))
    func fall(name: String) throws {
        let family = try #require(
            CandidateFamily.all(rank: try bench.smallestExtent(LossyOptions())).first { $0.name == name })
        let rungs = stride(from: 0, to: family.rungs, by: family.rungs > 8 ? 5 : 1)
        let sizes = try rungs.map { try bench.code(family.options(Double($0), LossyOptions())).bytes }
        // Where nothing is left to drop, a number that is written with more digits may add a byte or two.
        for (finer, coarser) in zip(sizes, sizes.dropFirst()) { #expect(coarser <= finer + 8, "\(sizes)") }
    }
}
