@testable import SiltAdapters
import SceneSupport
import Safetensors
import TensorTypes
import TestSupport
import Testing

@Suite("Subtrees of a base that an adapter's names mean")
struct SubtreeFinderTests {
    private let scene: AdapterScene

    init() throws { scene = try AdapterScene() }

    private func find(
        _ targets: [String], in base: [String], _ shape: [Int] = [4, 4]
    ) throws -> SubtreeFinder {
        let tensors = try base.map { name in
            // Of another shape: names that end with "#".
            name.hasSuffix("#")
                ? try AdapterScene.tensor(name.dropLast() + ".weight", [5, 4])
                : try AdapterScene.tensor(name + ".weight", shape)
        }
        var finder = SubtreeFinder(BaseNames(try scene.base(tensors)))
        try finder.find(targets.map { name in .init(name: name + ".weight") { $0.shape == shape } })
        return finder
    }

    private func trees(_ targets: [String], in base: [String]) throws -> [String: String] {
        let finder = try find(targets, in: base)
        #expect(finder.missing.isEmpty)
        return Dictionary(finder.subtrees.map { ($0.from, $0.to) }, uniquingKeysWith: { first, _ in first })
    }

    @Test("the whole, or its parts")
    func parts() throws {
        #expect(try trees(["m.0.q", "m.1.q"], in: ["m.0.q", "m.1.q", "n.m.0.q", "n.m.1.q"]) == ["": ""])
        #expect(try trees(["m.0.q", "m.1.q"], in: ["n.m.0.q", "n.m.1.q", "o.m.0.q"]) == ["": "n."])
        #expect(try trees(["o.m.0.q"], in: ["m.0.q", "n.m.0.q"]) == ["o.": ""])
        #expect(
            try trees(["a.b.l.0.q", "a.v.l.0.k"], in: ["b.c.l.0.q", "v.l.0.k"]) == ["a.b.": "b.c.", "a.v.": "v."])
        // A subtree that is the same at two places, of which one has its words.
        #expect(
            try trees(
                ["model.language_model.l.0.q", "model.visual.l.0.q"], in: ["model.l.0.q", "visual.l.0.q"])
                == ["model.language_model.": "model.", "model.visual.": "visual."])
        #expect(
            try trees(["model.l.0.q", "lm_head"], in: ["model.language_model.l.0.q", "model.visual.l.0.q", "lm_head"])
                == ["model.": "model.language_model.", "lm_head.": "lm_head."])
    }

    @Test("shapes decide between places")
    func shapes() throws {
        #expect(try trees(["l.0.q"], in: ["a.l.0.q", "b.l.0.q#"]) == ["": "a."])
        #expect(try trees(["l.0.q"], in: ["l.0.q#", "b.l.0.q"]) == ["": "b."])
        // What does not fit anywhere is told by its shapes.
        #expect(try trees(["l.0.q"], in: ["l.0.q#"]) == ["": ""])
    }

    @Test("two places that fit alike are named")
    func ambiguous() throws {
        for (targets, base) in [
            (["l.0.q"], ["a.l.0.q", "b.l.0.q"]), (["c.l.0.q"], ["a.l.0.q", "b.l.0.q"]),
            (["model.l.0.q"], ["model.encoder.l.0.q", "model.decoder.l.0.q"]),
        ] {
            let error = failure { _ = try find(targets, in: base) }
            #expect(error?.code == .baseMissing)
            for name in base { #expect(error?.message.contains("\"\(name.dropLast("l.0.q".count))\"") == true) }
        }
    }

    @Test("layers are not looked for one by one, nor two subtrees in one place")
    func missing() throws {
        #expect(try find(["m.0.q", "m.1.q"], in: ["m.0.q", "n.1.q"]).missing.count == 2)
        #expect(try find(["a.l.0.q", "b.l.0.q"], in: ["l.0.q"]).missing == ["b.l.0.q.weight"])
        #expect(try find(["a.x"], in: ["b.x"]).missing == ["a.x.weight"])
        #expect(try find([""], in: ["x"]).missing == [".weight"])
    }

    @Test("many names take no long time")
    func many() throws {
        let targets = (0..<2_000).map { "t\($0).l.q" }
        #expect(try !find(targets, in: (0..<2_000).map { "b\($0).l.k" }).missing.isEmpty)
    }
}
