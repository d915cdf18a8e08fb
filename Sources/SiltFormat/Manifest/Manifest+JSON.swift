internal import Safetensors
package import TensorTypes

extension Manifest {
    /// The manifest as JSON (Formats/Silt.md, section 4), without what a reader derives.
    package var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("silt", .integer(Manifest.version)),
            .init("contract", .string(contract.rawValue)),
            .init("requires", .array([])),
            .init("writer", .string(writer)),
            .init("form", .string(form.rawValue)),
            .init("base", .object(base.members)),
            .init("result", .object(result.members + [.init("bytes", .integer(bytes))])),
            .init("files", .array(files.map(\.json))),
        ]
        if let source { members.append(.init("source", .string(source))) }
        if let receipt { members.append(.init("receipt", receipt.json)) }
        if !evaluations.isEmpty { members.append(.init("evaluations", .array(evaluations.map(\.json)))) }
        if !packing.isEmpty {
            members.append(.init("packing", .object(packing.map { .init($0.name, .string($0.value)) })))
        }
        if let adapter { members.append(.init("adapter", adapter.json)) }
        return .object(members)
    }
}

extension Identity {
    fileprivate var members: [JSONValue.Member] {
        (root.isEmpty ? [] : [.init("root", .string(root))])
            + [.init("tensors", .integer(tensors)), .init("parameters", .integer(parameters))]
    }
}

extension FileRecord {
    fileprivate var json: JSONValue {
        var members: [JSONValue.Member] = [.init("path", .string(path))]
        switch content {
        case .safetensors(let header, let tensors):
            members += [
                .init("kind", .string("safetensors")),
                .init("header", .string(String(decoding: header.text, as: UTF8.self))),
                .init("tensors", .object(tensors.map { .init($0.name, $0.json(in: path)) })),
            ]
        case .stored(let digest, let codec, let chunks):
            members += [
                .init("kind", .string("stored")), .init("digest", .string(digest.hex)),
                .init("codec", .string(codec.rawValue)),
            ]
            if !chunks.isEmpty { members.append(.init("chunk", .integer(chunks.lowerBound))) }
        case .base(let digest, let from):
            members += [
                .init("kind", .string("base")), .init("digest", .string(digest.hex)), .init("from", .string(from)),
            ]
        }
        members.append(.init("bytes", .integer(bytes)))
        if let sha256 { members.append(.init("sha256", .string(sha256))) }
        return .object(members)
    }
}

extension TensorRecord {
    fileprivate func json(in path: String) -> JSONValue {
        var members: [JSONValue.Member] = []
        if let digest { members.append(.init("digest", .string(digest.hex))) }
        if let base {
            members.append(.init("sources", .array(base.sources.map { json($0, in: path) })))
            if base.sources.count > 1
                || base.runs != BaseRecord.plainRuns(base.sources[0].info.elements, info.elements)
            {
                members.append(.init("runs", .array(base.json)))
            }
        }
        let last = parts.count - 1
        members.append(.init("parts", .array(parts.enumerated().map { $1.json(isLast: $0 == last) })))
        if let receipt { members.append(.init("receipt", receipt.json)) }
        return .object(members)
    }

    private func json(_ source: SourceRecord, in path: String) -> JSONValue {
        var fields: [JSONValue.Member] = []
        if case .result = source { fields.append(.init("in", .string("result"))) }
        if ByteName(source.name) != ByteName(name) { fields.append(.init("name", .string(source.name))) }
        switch source {
        case .result(let source):
            if ByteName(source.file) != ByteName(path) { fields.append(.init("file", .string(source.file))) }
        case .base(let base):
            if let file = base.file { fields.append(.init("file", .string(file))) }
            if base.info.dtype != info.dtype { fields.append(.init("dtype", .string(base.info.dtype.rawValue))) }
            if base.info.shape != info.shape {
                fields.append(.init("shape", .array(base.info.shape.map { .integer($0) })))
            }
            if base.digest != digest { fields.append(.init("digest", .string(base.digest.hex))) }
        }
        return .object(fields)
    }
}

extension BaseRecord {
    /// The runs, with those between them that nothing predicts.
    fileprivate var json: [JSONValue] {
        var list: [JSONValue] = []
        var next = 0
        for run in runs {
            if run.elements.lowerBound > next { list.append(.array([.integer(run.elements.lowerBound - next)])) }
            list.append(.array([run.elements.count, run.source, run.first].map { .integer($0) }))
            next = run.elements.upperBound
        }
        return list
    }
}

extension PartRecord {
    fileprivate func json(isLast: Bool) -> JSONValue {
        var members: [JSONValue.Member] = [.init("kind", .string(kind.rawValue))]
        if !isLast { members.append(.init("elements", .integer(elements.count))) }
        if !components.isEmpty { members.append(.init("components", .array(components.map(\.json)))) }
        if let codec {
            members.append(.init("codec", .string(codec.rawValue)))
            members.append(.init("chunk", .integer(chunks.lowerBound)))
        }
        if let tables { members.append(.init("tables", .integer(tables))) }
        if let unit { members.append(.init("unit", .integer(unit))) }
        return .object(members)
    }
}
