import FuzzTargets
import TestSupport
import Testing

@Suite("Inputs from strangers")
struct CorpusTests {
    private static let targets = FuzzTarget.all

    @Test("what was committed gives a result or an error of Silt's", arguments: targets)
    func corpus(target: FuzzTarget) throws {
        let directory = "Tests/Fuzzing/Corpus/\(target.name)"
        let names = Repository.names(in: directory)
        #expect(!names.isEmpty)
        for name in names {
            let input = try #require(Repository.bytes("\(directory)/\(name)"))
            if case .wrong(let reason) = target.run(input) { Issue.record("\(target)/\(name): \(reason)") }
        }
    }

    @Test("what Silt's writers make is accepted", arguments: targets)
    func seeds(target: FuzzTarget) {
        let outcomes = target.seeds().map { target.run($0) }
        #expect(outcomes.count >= 4 && outcomes.contains(.accepted))
        for case .wrong(let reason) in outcomes { Issue.record("\(target): \(reason)") }
    }

    @Test("what is made of them gives a result or an error of Silt's", arguments: targets)
    func mutations(target: FuzzTarget) {
        var mutator = Mutator(target.seeds(), seed: 1)
        var refused = 0
        for _ in 0..<target.rounds {
            let input = mutator.next()
            switch target.run(input) {
            case .accepted: break
            case .refused: refused += 1
            case .wrong(let reason): Issue.record("\(target): \(reason), input \(input.prefix(256))")
            }
        }
        #expect(refused > 20)
    }

    @Test("the same seed makes the same inputs")
    func mutator() {
        func inputs(_ seed: UInt64) -> [[UInt8]] {
            var mutator = Mutator([Array("{\"a\":12}".utf8), [1, 2, 3]], seed: seed)
            return (0..<50).map { _ in mutator.next() }
        }
        #expect(inputs(3) == inputs(3) && inputs(3) != inputs(4) && Set(inputs(3)).count > 30)
    }
}
