import SceneSupport
@testable import SiltAdapters
import Safetensors
import TensorTypes
import TestSupport
import Testing

@Suite("An adapter beside its base")
struct AdapterMatcherTests {
    private let scene: AdapterScene

    init() throws { scene = try AdapterScene() }

    @Test("linear layers, [out, in] and [in, out]", arguments: [false, true], ["false", "true"])
    func orientation(isTurned: Bool, flag: String) throws {
        let tensors = try AdapterScene.pair("x", input: 5, output: 3, rank: 2)
        let adapter = try scene.adapter(", \"fan_in_fan_out\": \(flag)", tensors)
        let base = try scene.base([try AdapterScene.tensor("x.weight", isTurned ? [5, 3] : [3, 5])])
        let update = try #require(try AdapterMatcher(adapter, base: base).updates["x.weight"])
        let expected = AdapterScene.product(tensors[1], tensors[0], rank: 2, scale: 2, transposed: isTurned)
        #expect(try AdapterScene.product(update) == expected)
        #expect(update.left.extent == (isTurned ? 5 : 3) && update.right.extent == (isTurned ? 3 : 5))
    }

    @Test("a square weight goes by the flag, unless others of the adapter show that the flag is wrong")
    func square() throws {
        func isTurned(_ flag: Bool, beside shape: [Int]?, module: String = "y") throws -> Bool? {
            var tensors = try AdapterScene.pair("x.c", input: 4, output: 4, rank: 2)
            var weights = [try AdapterScene.tensor("x.c.weight", [4, 4])]
            if let shape {
                tensors += try AdapterScene.pair(module, input: 6, output: 4, rank: 2)
                weights.append(try AdapterScene.tensor(module + ".weight", shape))
            }
            let adapter = try scene.adapter(", \"fan_in_fan_out\": \(flag)", tensors)
            let update = try AdapterMatcher(adapter, base: scene.base(weights)).updates["x.c.weight"]
            return update.map { !$0.left.isTransposed }
        }
        #expect(try isTurned(false, beside: nil) == false)
        #expect(try isTurned(true, beside: nil) == true)
        #expect(try isTurned(true, beside: [4, 6]) == false)
        #expect(try isTurned(false, beside: [6, 4]) == true)
        #expect(try isTurned(false, beside: [6, 4], module: "y.c") == true)
    }

    @Test("a square weight that cannot be told is refused")
    func ambiguous() throws {
        var tensors = try AdapterScene.pair("x", input: 4, output: 4, rank: 2)
        tensors += try AdapterScene.pair("y", input: 6, output: 4, rank: 2)
        tensors += try AdapterScene.pair("z", input: 6, output: 4, rank: 2)
        let adapter = try scene.adapter("", tensors)
        let base = try scene.base([
            try AdapterScene.tensor("x.weight", [4, 4]), try AdapterScene.tensor("y.weight", [4, 6]),
            try AdapterScene.tensor("z.weight", [6, 4]),
        ])
        #expect(code { _ = try AdapterMatcher(adapter, base: base) } == .baseShape)
    }

    @Test("embeddings and convolutions")
    func others() throws {
        let embedding = [
            try AdapterScene.tensor("base_model.model.e.lora_embedding_A", [2, 7]),
            try AdapterScene.tensor("base_model.model.e.lora_embedding_B", [3, 2], step: 0.5),
        ]
        let convolution = [
            try AdapterScene.tensor("base_model.model.c.lora_A.weight", [2, 3, 2, 2]),
            try AdapterScene.tensor("base_model.model.c.lora_B.weight", [5, 2, 1, 1], step: 0.5),
        ]
        let adapter = try scene.adapter("", embedding + convolution)
        let base = try scene.base([
            try AdapterScene.tensor("e.weight", [7, 3]), try AdapterScene.tensor("c.weight", [5, 3, 2, 2]),
        ])
        let updates = try AdapterMatcher(adapter, base: base).updates
        #expect(
            try AdapterScene.product(#require(updates["e.weight"]))
                == AdapterScene.product(embedding[1], embedding[0], rank: 2, scale: 2, transposed: true))
        #expect(
            try AdapterScene.product(#require(updates["c.weight"]))
                == AdapterScene.product(convolution[1], convolution[0], rank: 2, scale: 2))
    }

    @Test("names with and without leading components")
    func naming() throws {
        func naming(_ modules: [String], _ names: [String]) throws -> AdapterNaming {
            let tensors = try modules.flatMap { try AdapterScene.pair($0, input: 4, output: 4, rank: 2) }
            let base = try scene.base(names.map { try AdapterScene.tensor($0 + ".weight", [4, 4]) })
            return try AdapterMatcher(scene.adapter("", tensors), base: base).naming
        }
        #expect(try naming(["a.x", "a.y"], ["a.x", "a.y", "x"]) == .same)
        #expect(
            try naming(["bert.a.x", "bert.a.y"], ["a.x", "a.y", "z"]) == AdapterNaming([.init(from: "bert.", to: "")]))
        #expect(try naming(["m.n.a.x", "m.n.a.y"], ["a.x", "a.y"]) == AdapterNaming([.init(from: "m.n.", to: "")]))
        #expect(
            try naming(["a.x", "a.y"], ["bert.a.x", "bert.a.y", "c.z"]) == AdapterNaming([.init(from: "", to: "bert.")])
        )
        #expect(code { _ = try naming(["a.x", "b.y"], ["x", "y"]) } == .baseMissing)
    }

    @Test("an adapter of another base")
    func wrongBase() throws {
        let adapter = try scene.adapter("", AdapterScene.pair("a.x", input: 5, output: 3, rank: 2))
        let missing = try scene.base([try AdapterScene.tensor("a.y.weight", [3, 5])])
        #expect(failure { _ = try AdapterMatcher(adapter, base: missing) }?.code == .baseMissing)
        let shape = try scene.base([try AdapterScene.tensor("a.x.weight", [3, 6])])
        let error = failure { _ = try AdapterMatcher(adapter, base: shape) }
        #expect(error?.code == .baseShape && error?.tensor == "a.x.weight" && error?.advice != nil)
        let integers = try scene.base([try TestTensor("a.x.weight", .i8, [3, 5], Array(repeating: 0, count: 15))])
        #expect(failure { _ = try AdapterMatcher(adapter, base: integers) }?.code == .baseDType)
    }

    @Test("whole tensors stand for the base's, or are new; others are refused")
    func whole() throws {
        let pair = try AdapterScene.pair("m.x", input: 4, output: 4, rank: 2)
        let weights = [
            try AdapterScene.tensor("x.weight", [4, 4], .bf16), try AdapterScene.tensor("n.weight", [4], .bf16),
        ]
        let base = try scene.base(weights)
        func matcher(_ saved: [TestTensor], modules: String) throws -> AdapterMatcher {
            try AdapterMatcher(scene.adapter(", \"modules_to_save\": [\(modules)]", pair + saved), base: base)
        }
        let head = try AdapterScene.tensor("base_model.model.head.weight", [2, 4])
        let norm = try AdapterScene.tensor("base_model.model.m.n.weight", [4])
        let good = try matcher([head, norm], modules: "\"head\"")
        #expect(good.saved.additions.map(\.target) == ["head.weight"])
        #expect(good.saved.replacements["n.weight"]?.target == "m.n.weight")
        #expect(code { _ = try matcher([head], modules: "") } == .header)
        let long = try AdapterScene.tensor("base_model.model.m.n.weight", [5])
        #expect(code { _ = try matcher([long], modules: "") } == .baseShape)
        #expect(try matcher([long], modules: "\"n\"").saved.replacements.count == 1)
        // PEFT saves the base's embeddings beside their update: harmless if they are the base's.
        let same = try weights[0].named("base_model.model.m.x.base_layer.weight")
        let saved = try matcher([same], modules: "").saved
        #expect(saved.replacements.isEmpty && saved.foundations.isEmpty && saved.hidden.map(\.name) == [same.name])
        // If they are not, the update is over them.
        var other = same
        other.bytes[3] ^= 1
        #expect(try matcher([other], modules: "").saved.foundations.keys.map(\.string) == ["x.weight"])
    }
}
