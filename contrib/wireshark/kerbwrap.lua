-- SPDX-License-Identifier: BSD-2-Clause
--
-- Shows kerbwrap's tunnels in Wireshark and tshark: each frame, its length and
-- GSS token; of the tokens that open a tunnel what Wireshark knows of Kerberos;
-- of the others the header (RFC 4121 section 4.2.6.2), and what a signed one lets
-- anybody read.  Nothing is decrypted.  docs/protocol.md says what goes where.
--
--   tshark -X lua_script:kerbwrap.lua -r FILE -Y kerbwrap
--   tshark -X lua_script:kerbwrap.lua -X lua_script1:stats -q -r FILE
--
-- or put it into the folder of personal Lua plugins.  Tunnels are found at any
-- port by what they look like; port 7443 is taken for one from the first byte.

local kerbwrap = Proto("kerbwrap", "kerbwrap tunnel")

local PORT = 7443
local LENGTH_SIZE = 4
local HEADER_SIZE = 16
local LARGEST_HANDSHAKE = 131072
local LARGEST_WRAP = 65472 + 128
-- 60 LENGTH 06 09 OID, the mechanism krb5, and then one of these.
local KRB5 = "\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"
local WRAP = 0x0504
local TOKENS = {
    [0x0100] = "AP-REQ",
    [0x0200] = "AP-REP",
    [0x0300] = "KRB-ERROR",
    [WRAP] = "Wrap",
}
local INITIATOR, ACCEPTOR = 0, 1
local DIRECTIONS = {
    [INITIATOR] = "initiator to acceptor",
    [ACCEPTOR] = "acceptor to initiator",
}
local MESSAGES = {
    [1] = "HELLO",
    [2] = "READY",
    [3] = "DATA",
    [4] = "EOF",
    [5] = "RESET",
    [6] = "PING",
    [7] = "PONG",
}

local f = {
    length = ProtoField.uint32("kerbwrap.length", "Length of the token"),
    token = ProtoField.uint16("kerbwrap.token", "Token", base.HEX, TOKENS),
    direction = ProtoField.uint8("kerbwrap.direction", "Direction", base.DEC,
                                 DIRECTIONS),
    flags = ProtoField.uint8("kerbwrap.flags", "Flags", base.HEX),
    sent_by_acceptor = ProtoField.bool("kerbwrap.flags.sent_by_acceptor",
                                       "Sent by acceptor", 8, nil, 0x01),
    sealed = ProtoField.bool("kerbwrap.flags.sealed", "Sealed", 8, nil, 0x02),
    acceptor_subkey = ProtoField.bool("kerbwrap.flags.acceptor_subkey",
                                      "Acceptor's subkey", 8, nil, 0x04),
    filler = ProtoField.uint8("kerbwrap.filler", "Filler", base.HEX),
    ec = ProtoField.uint16("kerbwrap.ec", "Extra count (EC)"),
    rrc = ProtoField.uint16("kerbwrap.rrc", "Right rotation count (RRC)"),
    sequence = ProtoField.uint64("kerbwrap.sequence", "Sequence number"),
    ciphertext = ProtoField.bytes("kerbwrap.ciphertext", "Sealed"),
    message = ProtoField.uint8("kerbwrap.message", "Message", base.DEC,
                               MESSAGES),
    data = ProtoField.bytes("kerbwrap.data", "Body"),
    checksum = ProtoField.bytes("kerbwrap.checksum", "Checksum"),
}
kerbwrap.fields = f

local function problem(name, text)
    return ProtoExpert.new("kerbwrap." .. name, text, expert.group.MALFORMED,
                           expert.severity.ERROR)
end
local e = {
    length = problem("bad_length", "No frame has this length"),
    token = problem("bad_token", "Not a token of Kerberos"),
    header = problem("bad_header", "Not a header that kerbwrap sends"),
    message = problem("bad_message", "No message of this type"),
    order = ProtoExpert.new("kerbwrap.bad_order", "Out of sequence",
                            expert.group.SEQUENCE, expert.severity.WARN),
}
kerbwrap.experts = e

local stream_number = Field.new("tcp.stream")

-- --- sequence numbers -------------------------------------------------------

-- Each direction's next one; and, as frames may be looked at again in any order,
-- what was found out about each token when it came by first.
local expected, surprises

function kerbwrap.init()
    expected, surprises = {}, {}
end

local function check_order(pinfo, direction, sequence, item)
    local this = pinfo.number .. "/" .. tostring(sequence)
    if not pinfo.visited then
        local key = stream_number().value .. "/" .. direction
        local wanted = expected[key]
        if wanted and wanted ~= sequence then
            surprises[this] = string.format("Out of sequence: %s was due",
                                            tostring(wanted))
        end
        expected[key] = sequence + UInt64(1)
    end
    if surprises[this] then
        item:add_proto_expert_info(e.order, surprises[this])
    end
end

-- --- tokens -----------------------------------------------------------------

-- The identifier of the token, whose first bytes are there; else nil.
local function token_id(tvb)
    local length = tvb:len()
    if length >= 2 and tvb(0, 2):uint() == WRAP then
        return WRAP
    end
    if length < 2 or tvb(0, 1):uint() ~= 0x60 then
        return nil
    end
    -- The length of ASN.1: one byte, or a count of bytes and these.
    local start = 2
    local first = tvb(1, 1):uint()
    if first > 0x80 then
        start = start + first - 0x80
    end
    local stop = start + #KRB5
    if length < stop + 2 or tvb:raw(start, #KRB5) ~= KRB5 then
        return nil
    end
    local id = tvb(stop, 2):uint()
    return TOKENS[id] and id ~= WRAP and id or nil, stop
end

-- Not encrypted and not rotated: message, checksum.
local function show_signed(tvb, ec, tree)
    local size = tvb:len() - HEADER_SIZE - ec
    if size < 1 then
        tree:add_proto_expert_info(e.header)
        return nil
    end
    local message = tvb(HEADER_SIZE, 1):uint()
    local item = tree:add(f.message, tvb(HEADER_SIZE, 1))
    if not MESSAGES[message] then
        item:add_proto_expert_info(e.message)
    end
    if size > 1 then
        tree:add(f.data, tvb(HEADER_SIZE + 1, size - 1))
    end
    tree:add(f.checksum, tvb(HEADER_SIZE + size, ec))
    return MESSAGES[message]
end

local function show_wrap(tvb, pinfo, tree)
    if tvb:len() < HEADER_SIZE then
        tree:add_proto_expert_info(e.header)
        return "cut Wrap"
    end
    local flags = tvb(2, 1):uint()
    local direction = flags % 2 == 1 and ACCEPTOR or INITIATOR
    local sealed = math.floor(flags / 2) % 2 == 1
    local ec, rrc = tvb(4, 2):uint(), tvb(6, 2):uint()
    local sequence = tvb(8, 8):uint64()

    tree:add(f.direction, tvb(2, 1), direction):set_generated()
    local header = tree:add(f.flags, tvb(2, 1))
    header:add(f.sent_by_acceptor, tvb(2, 1))
    header:add(f.sealed, tvb(2, 1))
    header:add(f.acceptor_subkey, tvb(2, 1))
    tree:add(f.filler, tvb(3, 1))
    tree:add(f.ec, tvb(4, 2))
    tree:add(f.rrc, tvb(6, 2))
    check_order(pinfo, direction, sequence,
                tree:add(f.sequence, tvb(8, 8)))
    -- The subkey, and no flag that is not known.
    if flags < 4 or flags > 7 or tvb(3, 1):uint() ~= 0xff then
        header:add_proto_expert_info(e.header)
    end
    local kind
    if sealed and tvb:len() > HEADER_SIZE then
        tree:add(f.ciphertext, tvb(HEADER_SIZE))
    elseif not sealed and rrc == 0 then
        kind = show_signed(tvb, ec, tree)
    end
    return string.format("%s %s", kind or (sealed and "sealed" or "signed"),
                         tostring(sequence))
end

local function show_handshake(tvb, pinfo, tree, id)
    local direction = id == 0x0100 and INITIATOR or ACCEPTOR
    tree:add(f.direction, tvb(0, 1), direction):set_generated()
    Dissector.get("gssapi"):call(tvb, pinfo, tree)
    return TOKENS[id]
end

-- --- frames -----------------------------------------------------------------

local function largest(tvb, offset)
    local wrap = tvb:len() >= offset + LENGTH_SIZE + 2 and
        tvb(offset + LENGTH_SIZE, 2):uint() == WRAP
    return wrap and LARGEST_WRAP or LARGEST_HANDSHAKE
end

local function is_length(tvb, offset)
    local length = tvb(offset, LENGTH_SIZE):uint()
    return length >= 1 and length <= largest(tvb, offset)
end

-- What has no length ends the dissection: all that is left is one frame.
local function frame_size(tvb, _, offset)
    if not is_length(tvb, offset) then
        return tvb:len() - offset
    end
    return LENGTH_SIZE + tvb(offset, LENGTH_SIZE):uint()
end

-- Of the frames that came last, for their column, and the packet they are in.
local said, said_of

local function show_frame(tvb, pinfo, tree)
    local branch = tree:add(kerbwrap, tvb())
    local item = branch:add(f.length, tvb(0, LENGTH_SIZE))
    if not is_length(tvb, 0) then
        item:add_proto_expert_info(e.length)
        said[#said + 1] = "bad length"
        return tvb:len()
    end
    local token = tvb(LENGTH_SIZE):tvb()
    local id, place = token_id(token)
    local what = "bad token"
    if id == WRAP then
        branch:add(f.token, token(0, 2))
        what = show_wrap(token, pinfo, branch)
    elseif id then
        branch:add(f.token, token(place, 2))
        what = show_handshake(token, pinfo, branch, id)
    else
        branch:add_proto_expert_info(e.token)
    end
    branch:append_text(", " .. what)
    said[#said + 1] = what
    return tvb:len()
end

local function show_segment(tvb, pinfo, tree)
    said = {}
    dissect_tcp_pdus(tvb, tree, LENGTH_SIZE, frame_size, show_frame)
    if #said > 0 then
        -- After the dissector of Kerberos, which has a say in them too.
        pinfo.cols.protocol = "kerbwrap"
        -- What was put together before stays where it is.
        pinfo.cols.info = (said_of == pinfo.number and " | " or "") ..
            table.concat(said, " | ")
        said_of = pinfo.number
    end
    return tvb:len()
end

kerbwrap.dissector = show_segment

local function looks_like_one(tvb, pinfo, tree)
    if tvb:len() < LENGTH_SIZE + HEADER_SIZE or not is_length(tvb, 0) then
        return false
    end
    local id = token_id(tvb(LENGTH_SIZE):tvb())
    -- A wrap token has a filler, and a few flags.
    if not id or id == WRAP and (tvb(LENGTH_SIZE + 3, 1):uint() ~= 0xff or
        tvb(LENGTH_SIZE + 2, 1):uint() > 7) then
        return false
    end
    -- Not by kerbwrap.dissector, for which no segments would be put together.
    show_segment(tvb, pinfo, tree)
    pinfo.conversation = kerbwrap
    return true
end

kerbwrap:register_heuristic("tcp", looks_like_one)
DissectorTable.get("tcp.port"):add(PORT, kerbwrap)

-- --- statistics ---------------------------------------------------------------

-- Of each TCP stream: frames and bytes of tokens in each direction.

local lengths, directions = Field.new("kerbwrap.length"),
    Field.new("kerbwrap.direction")

-- A tap that counts into a table, and a function that makes lines of that.
local function count_streams()
    local tap = Listener.new("tcp", "kerbwrap")
    local streams = {}
    function tap.packet()
        local number = stream_number().value
        local stream = streams[number] or {[0] = {0, 0}, [1] = {0, 0}}
        local sizes = {lengths()}
        for i, direction in ipairs({directions()}) do
            local total = stream[direction.value]
            total[1] = total[1] + 1
            total[2] = total[2] + sizes[i].value
        end
        streams[number] = stream
    end
    function tap.reset()
        streams = {}
    end
    return tap, function()
        local numbers, lines = {}, {}
        for number in pairs(streams) do
            numbers[#numbers + 1] = number
        end
        table.sort(numbers)
        for i, number in ipairs(numbers) do
            local there, back = streams[number][0], streams[number][1]
            lines[i] = string.format("%6d %10d %14d %10d %14d\n", number,
                                     there[1], there[2], back[1], back[2])
        end
        return string.format("%6s %25s %25s\n%6s %10s %14s %10s %14s\n",
                             "tcp", DIRECTIONS[INITIATOR],
                             DIRECTIONS[ACCEPTOR], "stream", "frames", "bytes",
                             "frames", "bytes") .. table.concat(lines)
    end
end

if gui_enabled() then
    register_menu("kerbwrap tunnels", function()
        local window = TextWindow.new("kerbwrap tunnels")
        local tap, report = count_streams()
        function tap.draw()
            window:set(report())
        end
        window:set_atclose(function()
            tap:remove()
        end)
        retap_packets()
    end, MENU_STAT_UNSORTED)
elseif ({...})[1] == "stats" then
    local tap, report = count_streams()
    function tap.draw()
        print(report())
    end
end
