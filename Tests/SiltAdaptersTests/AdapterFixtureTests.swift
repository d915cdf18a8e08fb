import SceneSupport
@testable import SiltAdapters
import Safetensors
import TensorTypes
import TestSupport
import Testing

/// Adapters that PEFT wrote, and the tensors that PEFT makes of them (Tests/Peers/make_fixtures.py).
@Suite("Adapters of PEFT")
struct AdapterFixtureTests {
    private func path(_ name: String) -> String { Repository.path("Tests/Data/peers/" + name) }

    private func open(_ name: String) throws -> (adapter: Adapter, layout: MergedLayout, merged: SafetensorsFile) {
        let adapter = try Adapter(directory: path(name + "/adapter"))
        let base = try Checkpoint(base: path(name + "/base"))
        let layout = try MergedLayout(adapter, base: base)
        return (adapter, layout, try SafetensorsFile(path(name + "/merged.safetensors")))
    }

    /// The values of a tensor of the merged model, by the definition.
    private func values(_ tensor: MergedTensor) throws -> [Float] {
        switch tensor.source {
        case .base(let base): return AdapterScene.values(try base.bytes(0..<base.info.bytes))
        case .saved(let saved, _): return AdapterScene.values(try saved.file.bytes(of: saved.entry.name))
        case .founded(let saved, let update, _):
            let old = AdapterScene.values(try saved.file.bytes(of: saved.entry.name))
            return zip(old, try AdapterScene.product(update)).map { $0 + $1 }
        case .adapted(let base, let update):
            let old = AdapterScene.values(try base.bytes(0..<base.info.bytes))
            return zip(old, try AdapterScene.product(update)).map { $0 + $1 }
        case .sparse(let base, let pair):
            var result = AdapterScene.values(try base.bytes(0..<base.info.bytes))
            let update = try pair.update(shape: base.info.shape)
            for (place, value) in zip(update.positions, AdapterScene.values(update.values)) {
                result[place] += value * update.scale
            }
            return result
        }
    }

    @Test(
        "the merged model is PEFT's",
        arguments: ["llama-patterns", "llama-embeddings", "gpt2", "bert-headless", "shira"])
    func merged(name: String) throws {
        let (adapter, layout, merged) = try open(name)
        let tensors = layout.models.flatMap(\.tensors)
        var checked = 0
        for tensor in tensors {
            guard let expected = merged.header[tensor.name] else {
                // Nothing that PEFT leaves alone is touched.
                if case .base = tensor.source { continue }
                Issue.record("\(tensor.name) is changed, but not by PEFT")
                continue
            }
            #expect(expected.info == tensor.info)
            let wanted = AdapterScene.values(try merged.bytes(of: tensor.name))
            let worst = zip(try values(tensor), wanted).map { abs($0 - $1) }.max() ?? 0
            #expect(worst < 1e-6, "\(tensor.name)")
            checked += 1
        }
        #expect(checked == merged.header.entries.count && checked > 0)
        #expect(
            checked == adapter.pairs.count + adapter.sparse.count + adapter.saved.count
                - (name == "llama-embeddings" ? 1 : 0))
    }

    @Test("names, scales and kinds are read as PEFT means them")
    func details() throws {
        let patterns = try open("llama-patterns")
        let scales = Dictionary(
            patterns.adapter.pairs.map { ($0.target, $0.scale) }, uniquingKeysWith: { first, _ in first })
        #expect(scales["model.layers.0.self_attn.v_proj.weight"] == 1.25)
        #expect(scales["model.layers.1.self_attn.v_proj.weight"] == 1.5)
        #expect(scales["model.layers.1.self_attn.q_proj.weight"] == 2)
        #expect(scales["model.layers.0.mlp.down_proj.weight"] == 3)
        #expect(try open("bert-headless").layout.matcher.naming.around == "bert.")
        #expect(try open("bert-headless").layout.matcher.saved.additions.count == 2)
        #expect(try open("llama-embeddings").adapter.pairs.contains { $0.isEmbedding })
        #expect(try open("gpt2").layout.matcher.updates.values.allSatisfy { !$0.left.isTransposed })
    }

    @Test("an adapter that is read and written is the same to PEFT", arguments: ["llama-patterns", "gpt2"])
    func rewritten(name: String) throws {
        let (adapter, layout, _) = try open(name)
        let directory = try TemporaryDirectory()
        var builder = AdapterConfigurationBuilder()
        builder.isFanInFanOut = adapter.configuration.isFanInFanOut
        var tensors: [AdapterExport.Tensor] = []
        let family = name == "gpt2" ? "gpt2" : "llama"
        for (base, update) in layout.matcher.updates {
            let shape = [update.left.extent, update.right.extent]
            let style = try #require(AdapterModuleStyle(of: base.string, shape: shape, family: family))
            builder.modules.append(.init(path: String(update.target.dropLast(".weight".count)), rank: update.rank))
            for part in style.tensors(of: update.target, shape: shape, rank: update.rank) {
                let factor = part.isLeft ? update.left : update.right
                let info = try #require(TensorInfo(dtype: .f32, shape: part.shape))
                var patterns = try factor.patterns()
                // The scale goes into the left factor: the configuration says 1.
                if part.isLeft {
                    patterns = AdapterScene.patterns(AdapterScene.values(patterns).map { $0 * update.scale }, .f32)
                }
                let bytes =
                    part.isTransposed
                    ? FloatPatterns.transposed(patterns, rows: update.rank, columns: factor.extent, width: 4) : patterns
                tensors.append(.init(part.name, info, bytes: { bytes }))
            }
        }
        try AdapterExport.write(config: builder.text, tensors: tensors, to: directory("out"))
        let back = try Adapter(directory: directory("out"))
        #expect(back.pairs.map(\.target) == adapter.pairs.map(\.target))
        try PeerCopies.keep(directory("out"), as: name + "-adapter")
    }

    @Test("a SHiRA adapter that is read and written holds the same values")
    func sparseRewritten() throws {
        let (adapter, layout, _) = try open("shira")
        let directory = try TemporaryDirectory()
        var updates: [SparseUpdate] = []
        for pair in adapter.sparse {
            let tensor = try #require(layout.models.flatMap(\.tensors).first { $0.name == pair.target })
            updates.append(try pair.update(shape: tensor.info.shape))
        }
        // Some values less, so that zeros must fill up.
        let first = updates[0]
        updates[0] = SparseUpdate(
            target: first.target, shape: first.shape, positions: Array(first.positions.dropLast(3)), dtype: first.dtype,
            values: Array(first.values.dropLast(12)), scale: 1)
        try SparseAdapterExport.write(updates, baseModel: "base", to: directory("out"))
        let back = try Adapter(directory: directory("out"))
        #expect(back.sparse.map(\.target) == adapter.sparse.map(\.target))
        for (pair, update) in zip(back.sparse, updates).dropFirst() {
            let again = try pair.update(shape: update.shape)
            #expect(again.positions == update.positions && again.values == update.values)
        }
        try PeerCopies.keep(directory("out"), as: "shira-adapter")
    }

    @Test("flipped bytes of an adapter give errors or another adapter, and stop nothing")
    func corruption() throws {
        let directory = try TemporaryDirectory()
        let base = try Checkpoint(base: path("llama-embeddings/base"))
        let names = ["adapter_config.json", "adapter_model.safetensors"]
        let good = try names.map { try #require(Repository.bytes("Tests/Data/peers/llama-embeddings/adapter/" + $0)) }
        for (name, bytes) in zip(names, good) { try directory.write(bytes, to: "adapter/" + name) }
        var refused = 0
        for (name, bytes) in zip(names, good) {
            // The configuration and the header; data are not read here.
            for position in stride(from: 0, to: min(bytes.count, 2_400), by: 3) {
                var bad = bytes
                bad[position] ^= 1 << UInt8(position % 7)
                try directory.write(bad, to: "adapter/" + name)
                do throws(SiltError) {
                    _ = try MergedLayout(Adapter(directory: directory("adapter")), base: base)
                } catch {
                    refused += 1
                    #expect(error.code != .fault)
                }
            }
            try directory.write(bytes, to: "adapter/" + name)
        }
        #expect(refused > 500)
    }
}
