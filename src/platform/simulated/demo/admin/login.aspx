<%@ Page Language="C#" AutoEventWireup="true" Inherits="pfup.login" %>
<%-- Simulated: this page belongs to a demo machine of pfupgrade. --%>
<html>
<head runat="server"><title>PhoneFactor User Portal</title></head>
<body><form runat="server"><h1>Sign in</h1><p>Help desk: extension 4242</p></form></body>
</html>
