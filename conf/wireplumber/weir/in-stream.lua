-- SPDX-License-Identifier: MIT
--
-- Puts a filter graph into streams of programs, without further nodes or links. Rules are in the
-- section weir.in-stream.rules; see wireplumber.conf.avail/50-weir-pitch-app.conf.

log = Log.open_topic ("s-weir")

rules = Conf.get_section_as_json ("weir.in-stream.rules", Json.Array {})

clients = ObjectManager { Interest { type = "client" } }
clients:activate ()

-- The client has the properties of the program, the stream its own name and role.
function describe (node)
  local client = clients:lookup {
    Constraint { "bound-id", "=", tonumber (node.properties ["client.id"]), type = "gobject" },
  }
  local properties = {}
  for name, value in pairs (client and client.properties or {}) do
    properties [name] = value
  end
  for name, value in pairs (node.properties) do
    properties [name] = value
  end
  return properties
end

function set_graph (node, graph)
  log:info (node, "weir: filter graph " .. graph)
  node:set_param ("Props", Pod.Object {
    "Spa:Pod:Object:Param:Props", "Props",
    params = Pod.Struct { "audioconvert.filter-graph.0", graph },
  })
end

-- A stream accepts a graph once its format is set.
SimpleEventHook {
  name = "weir/in-stream",
  interests = {
    EventInterest {
      Constraint { "event.type", "=", "node-state-changed" },
      Constraint { "event.subject.new-state", "=", "running" },
      Constraint { "media.class", "=", "Stream/Output/Audio" },
    },
  },
  execute = function (event)
    local node = event:get_subject ()
    if event:get_properties () ["event.subject.old-state"] == "idle" then
      return -- the graph is still set
    end
    JsonUtils.match_rules (rules, describe (node), function (action, value)
      if action == "filter-graph" then
        set_graph (node, value:to_string ())
      end
    end)
  end,
}:register ()
