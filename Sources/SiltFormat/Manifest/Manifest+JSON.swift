internal import Safetensors
package import TensorTypes

extension Manifest {
    /// The manifest as JSON (Formats/Silt.md, section 4), without what a reader derives.
    package var json: JSONValue {
        .members([
            "silt": .integer(Manifest.version),
            "contract": .string("exact"),
            "requires": .array([]),
            "writer": .string(writer),
            "form": .string(form.rawValue),
            "base": .object(base.members),
            "result": .object(result.members + [.init("bytes", .integer(bytes))]),
            "files": .array(files.map(\.json)),
        ])
    }
}

extension Identity {
    fileprivate var members: [JSONValue.Member] {
        [
            .init("root", .string(root)), .init("tensors", .integer(tensors)),
            .init("parameters", .integer(parameters)),
        ]
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
                .init("tensors", .object(tensors.map { .init($0.name, $0.json) })),
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
        return .object(members + [.init("bytes", .integer(bytes)), .init("sha256", .string(sha256))])
    }
}

extension TensorRecord {
    fileprivate var json: JSONValue {
        var members: [JSONValue.Member] = [.init("digest", .string(digest.hex))]
        if let base {
            var fields: [JSONValue.Member] = []
            if ByteName(base.name) != ByteName(name) { fields.append(.init("name", .string(base.name))) }
            if base.info.dtype != info.dtype { fields.append(.init("dtype", .string(base.info.dtype.rawValue))) }
            if base.info.shape != info.shape {
                fields.append(.init("shape", .array(base.info.shape.map { .integer($0) })))
            }
            if base.digest != digest { fields.append(.init("digest", .string(base.digest.hex))) }
            members.append(.init("base", .object(fields)))
        }
        let last = parts.count - 1
        members.append(.init("parts", .array(parts.enumerated().map { $1.json(isLast: $0 == last) })))
        return .object(members)
    }
}

extension PartRecord {
    fileprivate func json(isLast: Bool) -> JSONValue {
        var members: [JSONValue.Member] = [.init("kind", .string(kind.rawValue))]
        if !isLast { members.append(.init("elements", .integer(elements.count))) }
        if let codec {
            members.append(.init("codec", .string(codec.rawValue)))
            members.append(.init("chunk", .integer(chunks.lowerBound)))
        }
        if let tables { members.append(.init("tables", .integer(tables))) }
        if let unit { members.append(.init("unit", .integer(unit))) }
        return .object(members)
    }
}
