/// The members of a JSON object, to be changed by key.
package struct JSONMembers {
    private var members: [JSONValue.Member]

    /// The members of an object; none of anything else.
    package init(_ value: JSONValue) {
        guard case .object(let members) = value else {
            self.members = []
            return
        }
        self.members = members
    }

    /// The value of a key; a new key comes last, nil removes it.
    package subscript(key: String) -> JSONValue? {
        get { members.first { $0.key == key }?.value }
        set {
            let place = members.firstIndex { $0.key == key }
            guard let newValue else {
                if let place { members.remove(at: place) }
                return
            }
            if let place {
                members[place] = .init(key, newValue)
            } else {
                members.append(.init(key, newValue))
            }
        }
    }

    /// The object.
    package var value: JSONValue { .object(members) }
}
